// JSON messages to requests with Node's `ws` and a keep-alive agent.
// usage: rest.js PORT NGINX_PORT

'use strict';

const http = require('http');
const { WebSocketServer } = require('ws');

const [port, nginx] = process.argv.slice(2).map(Number);
const agent = new http.Agent({ keepAlive: true });
const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false });

server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data) => {
    const { id, method, path } = JSON.parse(data);
    const request = http.request({ agent, host: '127.0.0.1', port: nginx, method, path });
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text) => { body += text; });
      response.on('end', () => {
        socket.send(JSON.stringify({ id, status: response.statusCode, body: JSON.parse(body) }));
      });
    });
    request.on('error', () => socket.send(JSON.stringify({ id, status: 502 })));
    request.end();
  });
});
