"""Which names are those of secrets, and which only speak of one."""

from __future__ import annotations

import pytest

from mesh.model.secret_names import counts, is_reference, is_secret_name, words


def _words(text: str) -> list[str]:
    return text.split()


SECRET = _words("""
password passwd adminPassword DB_PASSWORD PASSWORDS pass DB_PASS db.pass pwd DB_PWD passphrase keyPassphrase
token tokens X_TOKEN apiToken auth-token authToken refresh_token secret secrets clientSecret CLIENT_SECRET
secretAccessKey aws_secret_access_key credential credentials creds dsn DATABASE_DSN connectionString
connection_string ConnectionString connStr Authorization authorization proxyAuthorization apiKey apikey
API_KEY api-keys key tls.key privateKey private_key private signingKey encryptionKey encryptionkey
licenseKey license cookie sessionCookie htpasswd .dockerconfigjson kubeconfig netrc salt otp jwt
client-key-data tokenValue password1 password_2 secretBase64 publicToken publicPassword
public_secret id_rsa pgpass keytab keystore
""")

READABLE = _words("""
secretName secretRef secretKeyRef imagePullSecrets imagePullSecret tokenTTL tokenAudience
tokenExpirationSeconds publicKey public_key publicKeys keyAlgorithm passwordFile passwordPolicy tokenPath
credentialName existingSecretName secretNamespace passThrough allowPassthrough topologyKey matchLabelKeys
annotationKey automountServiceAccountTokenPath tokenURL tokenBucket tokenReview tokenType secretsEnabled
keepalive monkey author authority privileged compass bypass passive tokenizer secretary
hostKeyAlgorithms keyId credentialId meshform.io/licence
tolerations replicas image hub tag network clusterName passwordLength secretStore secretProvider
""")


@pytest.mark.parametrize("name", SECRET)
def test_the_name_is_one_of_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", READABLE)
def test_the_name_is_readable(name: str) -> None:
    assert not is_secret_name(name)


def test_names_are_split_where_people_join_words() -> None:
    assert words("DB_PASS") == ("db", "pass")
    assert words("connectionString") == ("connection", "string")
    assert words("tokenTTL") == ("token", "ttl")
    assert words("tls.key") == ("tls", "key")
    assert words("") == ()


def test_a_reference_is_one_whatever_it_refers_to() -> None:
    assert is_reference("secretRef")
    assert is_reference("name")
    assert not is_reference("secret")
    assert not is_reference("")


def test_a_number_is_an_amount_except_as_a_password() -> None:
    assert counts("maxTokens")
    assert not counts("adminPassword")
    assert not counts("PIN")
