// Opens the echo page in headless Chromium and uses it, then the browser's own
// WebSocket.  Prints what a visitor would see.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { chromium } = require('playwright-core');

const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
	.flatMap(name => process.env.PATH.split(':').map(dir => path.join(dir, name)))
	.find(file => fs.existsSync(file));

// Runs in the page.
async function ownSocket(url) {
	const lines = [];
	const event = (socket, name) => new Promise(done => socket.addEventListener(name, done, { once: true }));
	const open = async () => {
		const socket = new WebSocket(url.replace('http', 'ws') + 'ws');
		socket.binaryType = 'arraybuffer';
		await event(socket, 'open');
		return socket;
	};

	const socket = await open();
	socket.send('x'.repeat(100000));
	lines.push('text ' + (await event(socket, 'message')).data.length);
	socket.send(Uint8Array.from({ length: 70000 }, (_, i) => i & 255));
	const bytes = new Uint8Array((await event(socket, 'message')).data);
	lines.push('binary ' + (bytes.every((b, i) => b === (i & 255)) ? bytes.length : 'wrong'));
	socket.close(1000, 'bye');
	const { code, wasClean } = await event(socket, 'close');
	lines.push(`close ${code} ${wasClean}`);
	return lines;
}

(async ([url]) => {
	const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'ngx_ws_chromium_'));
	const browser = await chromium.launchPersistentContext(profile, {
		executablePath,
		headless: true,
		timeout: 60000,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
			'--disable-background-networking', '--disable-component-update', '--disable-sync'],
	});
	try {
		const page = await browser.newPage();
		const problems = [];
		page.on('console', message => message.type() === 'error' && problems.push(message.text()));
		page.on('pageerror', error => problems.push(String(error)));

		await page.goto(url);
		await page.locator('#status', { hasText: 'open' }).waitFor();
		console.log('status', await page.textContent('#status'));

		for (const message of ['hello', 'Grüße, 世界 😀']) {
			await page.fill('#message', message);
			await page.click('#send');
			await page.locator('#log', { hasText: '< ' + message }).waitFor();
			console.log('echo', message);
		}

		console.log((await page.evaluate(ownSocket, url)).join('\n'));
		if (problems.length) console.log('problems', problems.join('; '));
	} finally {
		await browser.close();
		fs.rmSync(profile, { recursive: true, force: true });
	}
})(process.argv.slice(2));
