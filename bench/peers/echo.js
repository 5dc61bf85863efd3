// Echo with Node's `ws`.  usage: echo.js PORT [deflate | takeover]

'use strict';

const { WebSocketServer } = require('ws');

// The settings that ws_compression has by default, so that both do the same.
const deflate = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  zlibDeflateOptions: { level: 1 },
};
const takeover = { zlibDeflateOptions: { level: 1 } };

const [port, mode] = process.argv.slice(2);
const perMessageDeflate = { deflate, takeover }[mode] || false;
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(port), perMessageDeflate });

server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', () => {});
});
