#!/bin/sh
# A helm that waits before it installs, for as long as $SLOW_HELM_HOLD is there. What it is called
# for besides that (version, template) goes through at once. Its pid, which helm then has, is in
# $SLOW_HELM_PID.
case "$1" in
upgrade)
    echo $$ >"$SLOW_HELM_PID"
    while [ -e "$SLOW_HELM_HOLD" ]; do sleep 0.1; done
    ;;
esac
exec "$SLOW_HELM_REAL" "$@"
