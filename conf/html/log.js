// The list of messages.  All text goes in as text, never as HTML.

const SHOWN = 5000; // characters of a message
const KEPT = 500; // lines

const list = document.getElementById('log');

// kind: sent, received, note or error.
export function log(kind, text, more = '') {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const line = document.createElement('li');
    line.className = kind;

    const now = new Date();
    const time = document.createElement('time');
    time.dateTime = now.toISOString();
    time.textContent = now.toTimeString().slice(0, 8) + '.' + String(now.getMilliseconds()).padStart(3, '0');

    const cut = text.length > SHOWN ? `… and ${text.length - SHOWN} more` : '';
    const way = { sent: '> ', received: '< ' }[kind];
    const body = span('text', '');
    if (way) body.append(span('way', way));
    body.append(span('', text.slice(0, SHOWN) + cut));

    line.append(time, body, span('size', more));
    list.append(line);
    while (list.childElementCount > KEPT) list.firstElementChild.remove();
    // Who has scrolled up wants to read there.
    if (atEnd) list.scrollTop = list.scrollHeight;
}

export function clear() {
    list.replaceChildren();
}

export function bytes(count) {
    if (count < 1000) return `${count} B`;
    const [unit, size] = count < 1e6 ? ['kB', count / 1e3] : ['MB', count / 1e6];
    return `${size.toFixed(size < 10 ? 1 : 0)} ${unit}`;
}

export function hex(buffer) {
    return Array.from(new Uint8Array(buffer).subarray(0, SHOWN / 3),
        byte => byte.toString(16).padStart(2, '0')).join(' ');
}

function span(name, text) {
    const node = document.createElement('span');
    node.className = name;
    node.textContent = text;
    return node;
}
