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
			messages.push(message.isBinaryBody ? message.binaryBody : message.body);
			this.emit('message');
		}).unsubscribe;
		subscribed.wait = async n => {
			while (messages.length < n) await once(this, 'message');
			return messages;
		};
		return subscribed;
	}

	send(destination, body) {
		return new Promise(resolve => {
			const receipt = `r${Math.random()}`;
			this.client.watchForReceipt(receipt, resolve);
			this.client.publish({ destination, body, headers: { receipt } });
		});
	}
}

(async () => {
	const [one, two] = [new Peer(), new Peer()];
	const frame = await one.connect();
	await two.connect();
	assert.equal(frame.command, 'CONNECTED');
	assert.match(one.socket.protocol, /^v1[12]\.stomp$/);
	console.log('connected');

	const topic = '/topic/chat';
	const a = one.subscribe(topic);
	const b = two.subscribe(topic);
	const texts = ['hello', 'Grüße, 世界 😀', JSON.stringify({ a: [1, 2] }), 'x'.repeat(100000)];
	// The broker answers in order: a receipt says that the subscription stands.
	await one.send('/topic/nobody', 'x');
	await two.send('/topic/nobody', 'x');
	for (const text of texts) await one.send(topic, text);
	assert.deepEqual((await b.wait(texts.length)).slice(), texts);
	assert.deepEqual((await a.wait(texts.length)).slice(), texts);
	console.log('messages, receipts');

	for (let i = 0; i < 500; i++) two.client.publish({ destination: topic, body: `m${i}` });
	await a.wait(texts.length + 500);
	assert.deepEqual(a.messages.slice(texts.length), [...Array(500).keys()].map(i => `m${i}`));
	console.log('order');

	b.stop();
	await two.send('/topic/nobody', 'x');
	const count = b.messages.length;
	await one.send(topic, 'unheard');
	await a.wait(texts.length + 501);
	await two.send('/topic/nobody', 'x');
	assert.equal(b.messages.length, count);
	console.log('unsubscribed');

	one.beats = 0;
	await new Promise(resolve => setTimeout(resolve, 1600));
	assert.ok(one.beats >= 1, `${one.beats} heart-beats`);
	assert.ok(one.client.connected);
	console.log('heart-beats');

	const closed = Promise.all([once(one, 'closed'), once(two, 'closed')]);
	one.client.deactivate();
	two.client.deactivate();
	for (const [event] of await closed) assert.equal(event.code, 1000);
	console.log('closed');
	process.exit(0);
})();

setTimeout(() => { throw new Error('took too long'); }, 20000);
