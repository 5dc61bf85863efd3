// Echoes with permessage-deflate through Node's ws; prints what was agreed.

const WebSocket = require('ws');
const crypto = require('crypto');

const messages = ['', 'hello', 'a'.repeat(100000), crypto.randomBytes(200000)];
for (let n = 0; n < 50; n++) {
    messages.push(`{"n":${n},"text":"lorem ipsum dolor sit amet"}`.repeat(40));
}

const socket = new WebSocket(`ws://127.0.0.1:${process.argv[2]}${process.argv[3]}`, {
    perMessageDeflate: { threshold: 0 },
});

let next = 0;
socket.on('open', () => messages.forEach((message) => socket.send(message)));
socket.on('message', (data, isBinary) => {
    const expected = messages[next++];
    if (isBinary !== Buffer.isBuffer(expected) || !data.equals(Buffer.from(expected))) {
        throw new Error(`message ${next} is not what was sent`);
    }
    if (next === messages.length) {
        console.log(socket.extensions);
        socket.close(1000);
    }
});
socket.on('error', (error) => { throw error; });
