// Opens a page in a headless Chromium and prints what it did: requests, messages, accessibility, what opens.
//   node look.mjs '{"page": "/a.html", "scheme": "dark", "width": 1100, "open": true, "picture": "/a.png"}'
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import bundled from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

const asked = JSON.parse(process.argv[2]);
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'];
const browser = await chromium.launch({
  executablePath: await bundled.executablePath(),
  args: [...bundled.args, ...quiet],
  headless: true,
});
const seen = { requests: [], messages: [], violations: [], hidden: 0, text: '' };
try {
  const context = await browser.newContext({
    viewport: { width: asked.width ?? 1100, height: 900 },
    colorScheme: asked.scheme ?? 'light',
    bypassCSP: true, // for the accessibility rules, which are put into the page
  });
  const tab = await context.newPage();
  tab.on('request', (request) => seen.requests.push(request.url()));
  tab.on('console', (message) => seen.messages.push(message.text()));
  tab.on('pageerror', (error) => seen.messages.push(String(error)));
  await tab.goto(pathToFileURL(asked.page).href);
  for (const nth of asked.click ?? []) await tab.locator('summary').nth(nth).click();
  if (asked.open) await tab.$$eval('details', (all) => all.forEach((each) => (each.open = true)));
  seen.text = await tab.locator('body').innerText();
  if (asked.picture) await tab.screenshot({ path: asked.picture, fullPage: true });
  if (asked.rules) {
    await tab.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core') });
    const found = await tab.evaluate((tags) => window.axe.run({ runOnly: tags }), asked.rules);
    seen.violations = found.violations.map((each) => `${each.id}: ${each.nodes[0].html}`);
  }
  seen.wide = await tab.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(seen));
