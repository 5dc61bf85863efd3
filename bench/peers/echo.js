// Echo with Node's `ws`.  usage: echo.js PORT [deflate]

'use strict';

const { WebSocketServer } = require('ws');

const [port, deflate] = process.argv.slice(2);
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(port),
  perMessageDeflate: deflate === 'deflate',
});

server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', () => {});
});
