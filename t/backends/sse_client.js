// A client of sse.py, through nginx: npm's eventsource.  Prints a line for each
// thing that went as it should.
//
// Usage: node sse_client.js URL-OF-THE-APPLICATION

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.removeAllListeners('warning');

const assert = require('node:assert');
const { once } = require('node:events');
const { EventSource } = require('eventsource');

const url = process.argv[2];

const event = (source, name) => new Promise(resolve =>
	source.addEventListener(name, resolve, { once: true }));

const streams = async () => (await fetch(`${url}open`)).json();

async function streamsAre(n) {
	while (await streams() !== n) await new Promise(resolve => setTimeout(resolve, 20));
}

(async () => {
	// The next event is caused only when this one is here: a single one that is
	// held back stops it all.
	const source = new EventSource(`${url}events`);
	assert.equal((await event(source, 'said')).data, 'first');
	for (const text of ['hello', 'Grüße, 世界 😀', 'two\nlines', 'x'.repeat(100000)]) {
		const next = event(source, 'said');
		await fetch(`${url}say`, { method: 'POST', body: text });
		assert.equal((await next).data, text);
	}
	console.log('event by event');

	assert.equal(await streams(), 1);
	source.close();
	await streamsAre(0);
	console.log('the application sees the client leave');

	const again = new EventSource(`${url}short`);
	const got = [];
	await new Promise(resolve => again.addEventListener('message', ({ data, lastEventId }) => {
		got.push(`${lastEventId} ${data}`);
		if (got.length === 6) resolve();
	}));
	again.close();
	assert.deepEqual(got, [1, 2, 3, 4, 5, 6].map(n => `${n} number ${n}`));
	console.log('reconnects with Last-Event-ID');

	const response = await fetch(`${url}events`);
	const headers = Object.fromEntries(response.headers);
	assert.match(headers['content-type'], /^text\/event-stream/);
	assert.equal(headers['cache-control'], 'no-cache');
	assert.equal(headers['strict-transport-security'], 'max-age=31536000');
	assert.equal(headers['content-encoding'], undefined);
	await response.body.cancel();
	console.log('headers');
	process.exit(0);
})();

setTimeout(() => { throw new Error('took too long'); }, 20000);
