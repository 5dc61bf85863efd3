// A server of WebSockets: Node's ws, as a chat and for notifications.
//
// Usage: node gateway.js PORT
//
// The first message of the server is {"path","headers"} of the handshake.
// Then a message goes to all sockets with the same X-Session-Id, or to its
// sender alone when there is none; binary as binary.  Of "close CODE REASON",
// "ping", "slow MS" and "vanish" the server does itself what they say.

const { WebSocketServer } = require('ws');

const server = new WebSocketServer({ port: Number(process.argv[2]), host: '127.0.0.1' });

server.on('connection', (ws, request) => {
	const session = request.headers['x-session-id'];
	ws.session = session ?? Symbol();
	ws.send(JSON.stringify({ path: request.url, headers: request.headers }));

	ws.on('message', (data, isBinary) => {
		const [word, first, reason] = isBinary ? [] : String(data).split(' ');
		if (word === 'close') {
			ws.close(Number(first), reason);
		} else if (word === 'ping') {
			ws.ping('from the server');
		} else if (word === 'slow') {
			setTimeout(() => ws.send('slow'), Number(first));
		} else if (word === 'vanish') {
			ws.terminate();
		} else {
			for (const peer of server.clients) {
				if (peer.session === ws.session) peer.send(data, { binary: isBinary });
			}
		}
	});
	ws.on('pong', data => ws.send(`pong ${data}`));
	ws.on('close', (code, reason) => console.log(`closed ${code} ${reason}`));
});
