// Clients of gateway.js, through nginx: Node's ws.  Prints a line for each
// thing that went as it should.
//
// Usage: node gateway_client.js URL

const assert = require('node:assert');
const { once } = require('node:events');
const { WebSocket } = require('ws');

const url = process.argv[2];

async function open() {
	const ws = new WebSocket(url, { rejectUnauthorized: false });
	const first = once(ws, 'message');
	await once(ws, 'open');
	ws.hello = JSON.parse(String((await first)[0]));
	return ws;
}

async function answer(ws, message) {
	const next = once(ws, 'message');
	ws.send(message);
	const [data, isBinary] = await next;
	return isBinary ? data : String(data);
}

(async () => {
	let ws = await open();
	assert.equal(ws.hello.path, new URL(url).pathname);
	console.log('open');

	for (const text of ['hello', '', 'Grüße, 世界 😀', 'x'.repeat(2 ** 20)]) {
		assert.equal(await answer(ws, text), text);
	}
	const bytes = Buffer.from(Array.from({ length: 300000 }, (_, i) => i & 255));
	assert.ok(bytes.equals(await answer(ws, bytes)));
	console.log('text, binary');

	ws.ping('from the client');
	assert.equal(String((await once(ws, 'pong'))[0]), 'from the client');
	assert.equal(await answer(ws, 'ping'), 'pong from the server');
	console.log('pings');

	ws.close(4001, 'bye');
	assert.equal((await once(ws, 'close'))[0], 4001);
	ws = await open();
	ws.send('close 4002 reason');
	const [code, reason] = await once(ws, 'close');
	assert.deepEqual([code, String(reason)], [4002, 'reason']);
	ws = await open();
	ws.send('vanish');
	assert.equal((await once(ws, 'close'))[0], 1006);
	console.log('closed');
	process.exit(0);
})();

setTimeout(() => { throw new Error('took too long'); }, 20000);
