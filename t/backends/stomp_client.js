// Clients of a STOMP broker: @stomp/stompjs over ws.  Prints a line for each
// thing that went as it should.
//
// Usage: node stomp_client.js URL [LOGIN PASSCODE]

const assert = require('node:assert');
const { once, EventEmitter } = require('node:events');
const { Client } = require('@stomp/stompjs');
const { WebSocket } = require('ws');

const [url, login = 'guest', passcode = 'guest'] = process.argv.slice(2);

class Peer extends EventEmitter {
	constructor() {
		super();
		this.beats = 0;
		this.client = new Client({
			webSocketFactory: () => this.socket = new WebSocket(url,
				['v12.stomp', 'v11.stomp'], { rejectUnauthorized: false }),
			connectHeaders: { login, passcode },
			heartbeatIncoming: 500,
			heartbeatOutgoing: 500,
			reconnectDelay: 0,
			debug: text => text.includes('Received data') || (this.beats += text.startsWith('<<< PONG')),
			onConnect: frame => this.emit('connected', frame),
			onStompError: frame => this.emit('error', new Error(frame.headers.message)),
			onWebSocketError: event => this.emit('error', new Error(event.message)),
			onWebSocketClose: event => this.emit('closed', event),
		});
	}

	async connect() {
		this.client.activate();
		const [frame] = await once(this, 'connected');
		return frame;
	}

	subscribe(destination) {
		const messages = [];
		const subscribed = { messages };
		subscribed.stop = this.client.subscribe(destination, message => {
			messages.push(message.body);
			this.emit('message');
		}).unsubscribe;
		subscribed.wait = async n => {
			while (messages.length < n) await once(this, 'message');
			return messages;
		};
		return subscribed;
	}

	publish(destination, body, headers = {}) {
		this.client.publish({ destination, body, headers });
	}

	receipt(destination, body) {
		return new Promise(resolve => {
			const receipt = `r${Math.random()}`;
			this.client.watchForReceipt(receipt, resolve);
			this.publish(destination, body, { receipt });
		});
	}
}

// Until the broker has done what both have told it before.
async function settle(from, to) {
	const topic = `/topic/settle-${Math.random()}`;
	const probes = to.subscribe(topic);
	while (!probes.messages.length) {
		from.publish(topic, 'probe');
		await new Promise(resolve => setTimeout(resolve, 20));
	}
	probes.stop();
}

(async () => {
	const [one, two] = [new Peer(), new Peer()];
	const frame = await one.connect();
	await two.connect();
	assert.equal(frame.command, 'CONNECTED');
	assert.match(one.socket.protocol, /^v1[12]\.stomp$/);
	console.log('connected');

	// What stomp-broker-js does not do: it sends nothing to the sender, no
	// heart-beats and no receipts but of DISCONNECT, and counts characters
	// where octets are meant.
	const whole = !frame.headers.server.startsWith('STOMP-JS');
	const topic = '/topic/chat';
	const a = one.subscribe(topic);
	const b = two.subscribe(topic);
	const texts = ['hello', JSON.stringify({ a: [1, 2] }), 'two\nlines', 'x'.repeat(100000)];
	if (whole) texts.push('Grüße, 世界 😀');
	await settle(one, two);
	await settle(two, one);
	for (const text of texts) one.publish(topic, text);
	assert.deepEqual(await b.wait(texts.length), texts);
	if (whole) {
		assert.deepEqual(await a.wait(texts.length), texts);
		await one.receipt('/topic/nobody', 'x');
	}
	console.log('messages');

	const before = a.messages.length;
	for (let i = 0; i < 500; i++) two.publish(topic, `m${i}`);
	await a.wait(before + 500);
	assert.deepEqual(a.messages.slice(before), [...Array(500).keys()].map(i => `m${i}`));
	console.log('order');

	b.stop();
	await settle(one, two);
	const count = b.messages.length;
	one.publish(topic, 'unheard');
	await settle(one, two);
	assert.equal(b.messages.length, count);
	console.log('unsubscribed');

	// The broker cuts off who sends none.
	one.beats = 0;
	await new Promise(resolve => setTimeout(resolve, 1600));
	assert.ok(one.client.connected);
	if (whole) assert.ok(one.beats >= 1);
	console.log('heart-beats');

	// DISCONNECT, its receipt, Close.
	const closed = Promise.all([once(one, 'closed'), once(two, 'closed')]);
	one.client.deactivate();
	two.client.deactivate();
	for (const [event] of await closed) assert.ok(event.wasClean, `${event.code}`);
	console.log('closed');
	process.exit(0);
})();

setTimeout(() => { throw new Error('took too long'); }, 20000);
