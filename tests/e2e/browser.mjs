// Opens a page in Debian's Chromium with an empty cache of its own and prints what it saw as JSON:
// node browser.mjs URL HOST SPKI_HASH SCREENSHOT.png
// HOST is taken to be at 127.0.0.1; SPKI_HASH is the key of the one certificate that is trusted beyond the system's.
import { chromium } from 'playwright-core';

const [url, host, spki, screenshot] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
    `--host-resolver-rules=MAP ${host} 127.0.0.1`, `--ignore-certificate-errors-spki-list=${spki}`],
});
try {
  const page = await (await browser.newContext()).newPage();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  const responses = [];
  const problems = [];
  devtools.on('Network.responseReceived', ({ response: r }) => {
    const headers = Object.fromEntries(Object.entries(r.headers).map(([k, v]) => [k.toLowerCase(), v]));
    responses.push({ path: new URL(r.url).pathname, status: r.status, protocol: r.protocol, headers });
  });
  devtools.on('Network.loadingFailed', (e) => problems.push(`loading failed: ${e.errorText}`));
  page.on('pageerror', (e) => problems.push(String(e)));
  page.on('console', (m) => m.type() === 'error' && problems.push(m.text()));
  try {
    await page.goto(url, { timeout: 60_000 });
    await page.waitForSelector('html[data-ready=yes]', { state: 'attached', timeout: 60_000 });
  } catch (e) {
    problems.push(String(e));
  }
  await page.screenshot({ path: screenshot });
  const text = await page.evaluate(() => document.body.innerText);
  const colour = await page.evaluate(() => {
    const version = document.querySelector('#version');
    return version && getComputedStyle(version).color;
  });
  console.log(JSON.stringify({ text, colour, responses, problems }));
} finally {
  await browser.close();
}
