// Echoes text and binary of many sizes through headless Chromium, at each of the
// URLs behind that of a page; prints what was agreed and how much was echoed.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { chromium } = require('playwright-core');

const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
	.flatMap(name => process.env.PATH.split(':').map(dir => path.join(dir, name)))
	.find(file => fs.existsSync(file));

// Runs in the page, and gives the lines to print.
async function echo(url) {
	const text = (n, size) => `{"n":${n},"text":"lorem ipsum dolor sit amet, Grüße 世界"}`
		.repeat(size / 60 + 1).slice(0, size);
	const bytes = (n, size) => Uint8Array.from({ length: size }, (_, i) => (i >> 8) * n & 255);
	const sizes = [0, 1, 125, 126, 1000, 16384, 65535, 65536, 200000];
	const messages = sizes.flatMap((size, n) => [text(n, size), bytes(n + 1, size)]);
	// What is alike is cheap only for those who remember the one before.
	for (let n = 0; n < 40; n++) messages.push(text(n, 1200));

	const socket = new WebSocket(url);
	socket.binaryType = 'arraybuffer';
	await new Promise((open, fail) => { socket.onopen = open; socket.onerror = fail; });
	const lines = [socket.extensions];

	let next = 0;
	let size = 0;
	const all = new Promise((done, fail) => {
		socket.onclose = event => fail(Error(`closed with ${event.code} ${event.reason}`));
		socket.onmessage = ({ data }) => {
			const sent = messages[next++];
			const same = typeof sent === 'string' ? data === sent
				: data instanceof ArrayBuffer && data.byteLength === sent.length
					&& new Uint8Array(data).every((b, i) => b === sent[i]);
			if (!same) fail(Error(`message ${next} is not what was sent`));
			size += typeof sent === 'string' ? new TextEncoder().encode(sent).length : sent.length;
			if (next === messages.length) done();
		};
	});
	for (const message of messages) socket.send(message);
	await all;

	const closed = new Promise(done => { socket.onclose = done; });
	socket.close(1000);
	const { code, wasClean } = await closed;
	lines.push(`${next} messages of ${size} bytes, close ${code} ${wasClean}`);
	return lines;
}

(async ([origin, ...urls]) => {
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
		await page.goto(origin);
		for (const url of urls) {
			const lines = await page.evaluate(echo, url);
			for (const line of lines) console.log(`${new URL(url).pathname} ${line}`);
		}
	} catch (error) {
		console.log('failed', String(error).replaceAll('\n', ' '));
	} finally {
		await browser.close();
		fs.rmSync(profile, { recursive: true, force: true });
	}
})(process.argv.slice(2));
