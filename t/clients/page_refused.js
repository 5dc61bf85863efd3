// What Chromium's console says of a WebSocket that is refused.

const { run } = require('./browser.js');

run(async ({ page, url }) => {
	await page.goto(url);
	const said = page.waitForEvent('console', message => message.text().includes('WebSocket'));
	await page.evaluate(url => void new WebSocket(url), process.argv[3]);
	console.log((await said).text());
});
