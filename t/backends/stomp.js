// A STOMP broker over WebSocket: npm's stomp-broker-js, at /ws.
//
// Usage: node stomp.js PORT

const http = require('node:http');
const StompServer = require('stomp-broker-js');

const server = http.createServer();
new StompServer({
	server,
	path: '/ws',
	// The least it takes, so that a test sees some.
	heartbeat: [500, 500],
	debug: (...args) => console.log(...args.map(String)),
});
server.listen(Number(process.argv[2]), '127.0.0.1');
