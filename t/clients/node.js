// Echoes through Node's ws: plain and TLS.  Prints "ok" for each.

const assert = require('node:assert');
const { once } = require('node:events');
const { WebSocket } = require('ws');

async function open(url) {
	const ws = new WebSocket(url, ['other', 'chat'], { rejectUnauthorized: false });
	await once(ws, 'open');
	return ws;
}

async function exercise(url) {
	let ws = await open(url);
	assert.equal(ws.protocol, 'chat');
	// permessage-deflate is offered by default, and not taken.
	assert.equal(ws.extensions, '');

	const bytes = Buffer.from(Array.from({ length: 70000 }, (_, i) => i & 255));
	for (const message of ['hello', '', 'Grüße, 世界 😀', 'x'.repeat(2 ** 20), Buffer.alloc(0), bytes]) {
		ws.send(message);
		const [echo, isBinary] = await once(ws, 'message');
		assert.equal(isBinary, typeof message !== 'string');
		assert.ok(echo.equals(Buffer.from(message)));
	}

	ws.send('frag', { fin: false });
	ws.ping('payload');
	assert.equal(String((await once(ws, 'pong'))[0]), 'payload');
	ws.send('ment', { fin: true });
	assert.equal(String((await once(ws, 'message'))[0]), 'fragment');

	let next = 0;
	const all = new Promise((resolve, reject) => ws.on('message', message => {
		try {
			assert.equal(String(message), `message ${next++}`);
		} catch (e) {
			reject(e);
		}
		if (next === 1000) resolve();
	}));
	for (let i = 0; i < 1000; i++) ws.send(`message ${i}`);
	await all;

	ws.close(4000, 'done');
	let [code, reason] = await once(ws, 'close');
	assert.deepEqual([code, String(reason)], [4000, '']);

	ws = await open(url);
	ws.send(Buffer.alloc(2 ** 22 + 1));
	ws.on('error', () => {});
	[code] = await once(ws, 'close');
	assert.equal(code, 1009);
}

const timer = setTimeout(() => { throw new Error('took too long'); }, 30000);

(async ([port, tlsPort]) => {
	for (const url of [`ws://127.0.0.1:${port}/ws`, `wss://127.0.0.1:${tlsPort}/ws`]) {
		await exercise(url);
		console.log('ok');
	}
	clearTimeout(timer);
})(process.argv.slice(2));
