// JSON to requests with njs.  njs has no WebSocket, so this reads and writes
// the frames of short messages itself, as a filter of a stream.

import crypto from 'crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

function filter(s) {
  let input = Buffer.alloc(0);
  let open = false;

  s.on('upstream', (data) => {
    input = Buffer.concat([input, data]);
    if (!open) {
      const head = input.toString();
      const key = head.match(/sec-websocket-key: *([^\r]+)/i);
      if (head.indexOf('\r\n\r\n') < 0 || !key) {
        return;
      }
      const accept = crypto.createHash('sha1').update(key[1] + GUID).digest('base64');
      s.sendDownstream('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
        + 'Connection: Upgrade\r\nSec-WebSocket-Accept: ' + accept + '\r\n\r\n');
      open = true;
      input = Buffer.alloc(0);
      return;
    }
    while (input.length >= 6 && input.length >= 6 + (input[1] & 0x7f)) {
      const length = input[1] & 0x7f;
      const text = Buffer.from(input.slice(6, 6 + length));
      for (let i = 0; i < length; i++) {
        text[i] ^= input[2 + i % 4];
      }
      input = input.slice(6 + length);
      answer(s, JSON.parse(text.toString()));
    }
  });
}

async function answer(s, message) {
  const response = await ngx.fetch(s.variables.api + message.path, { method: message.method });
  const body = await response.text();
  const reply = Buffer.from(JSON.stringify({
    id: message.id,
    status: response.status,
    body: JSON.parse(body),
  }));
  s.sendDownstream(Buffer.concat([Buffer.from([0x81, reply.length]), reply]));
}

export default { filter };
