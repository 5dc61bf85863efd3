// Headless Chromium for a script that uses a page and checks what it sees.
// Prints "ok NAME" or "not ok NAME: what was seen" a line, and "done" at the end.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { chromium } = require('playwright-core');

const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
	.flatMap(name => process.env.PATH.split(':').map(dir => path.join(dir, name)))
	.find(file => fs.existsSync(file));

// The URL to use is the script's argument.
exports.run = async function run(script) {
	const url = process.argv[2];
	const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'ngx_ws_chromium_'));
	const browser = await chromium.launchPersistentContext(profile, {
		executablePath,
		headless: true,
		timeout: 60000,
		viewport: { width: 1280, height: 800 },
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
			'--disable-background-networking', '--disable-component-update', '--disable-sync'],
	});
	try {
		const page = await browser.newPage();
		page.setDefaultTimeout(20000);

		const problems = [];
		page.on('console', message => ['error', 'warning'].includes(message.type()) && problems.push(message.text()));
		page.on('pageerror', error => problems.push(String(error)));
		page.on('request', request => /^(data:|blob:)/.test(request.url()) || request.url().startsWith(url)
			|| problems.push('asked for ' + request.url()));

		await script({ page, url });
		check('no errors, nothing from elsewhere', problems, []);
		console.log('done');
	} catch (error) {
		console.log('not ok', String(error).replaceAll('\n', ' '));
	} finally {
		await browser.close();
		fs.rmSync(profile, { recursive: true, force: true });
	}
};

// `expected` is a regular expression, a function, or the value itself.
const check = exports.check = (name, got, expected) => {
	const good = expected instanceof RegExp ? expected.test(got)
		: typeof expected === 'function' ? expected(got)
			: JSON.stringify(got) === JSON.stringify(expected);
	console.log(good ? `ok ${name}` : `not ok ${name}: ${JSON.stringify(got)}`);
};

// Waits until the page shows a state.
exports.status = (page, text) => page.locator('#status', { hasText: new RegExp(`^${text}$`) }).waitFor();

// Waits for so many lines in the log, and returns the last ones as
// [text, what is beside it].
exports.lines = async function lines(page, count, last = count) {
	await page.waitForFunction(n => document.querySelectorAll('#log li').length >= n, count);
	return page.locator('#log li').evaluateAll((items, n) => items.slice(-n).map(item =>
		[item.querySelector('.text').textContent, item.querySelector('.size').textContent]), last);
};
