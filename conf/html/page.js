// The page: connects, builds messages, times the answers.

import { draw, format } from './chart.js';
import { bytes, clear, hex, log } from './log.js';
import { call } from './call.js';

const CODES = {
    1000: 'done', 1001: 'going away', 1002: 'protocol error', 1003: 'unsupported data', 1005: 'no code',
    1006: 'connection lost or refused', 1007: 'not UTF-8', 1008: 'policy', 1009: 'too big',
    1010: 'extension missing', 1011: 'server error', 1012: 'restart', 1013: 'try again later',
};
const TRIPS = 100; // in the chart

const $ = id => document.getElementById(id);

let socket;
let stopped = false; // by the user
let wait = 1; // seconds until the next attempt
let retry, ticker;
let nextId = 1;
let lastSent = '';
let trips = [];
let pending = []; // sent and not answered: { text, id, at }
let totals = {};

// Connection.

function connect() {
    clearTimeout(retry);
    stopped = false;
    socket?.close(1000);
    socket = undefined;
    pending = [];

    try {
        const url = new URL($('url').value, location.href);
        url.protocol = url.protocol.replace('http', 'ws');
        url.hash = '';
        socket = new WebSocket(url);
    } catch {
        $('url').setAttribute('aria-invalid', true);
        return show('closed', 'this is not the URL of a WebSocket');
    }

    const current = socket;
    $('url').removeAttribute('aria-invalid');
    $('url').value = current.url;
    current.binaryType = 'arraybuffer';
    current.onopen = () => current === socket && opened(current);
    current.onmessage = event => received(event.data);
    current.onclose = event => closed(event, current === socket);
    show('connecting', '');
}

function opened({ url, protocol, extensions }) {
    wait = 1;
    const text = [url, protocol, extensions].filter(Boolean).join(', ');
    show('open', `${text}, since ${clock()}`);
    log('note', `open: ${text}`);
}

function closed({ code, reason }, isCurrent) {
    const text = [code, CODES[code]].filter(Boolean).join(' ') + (reason ? `, reason: ${reason}` : '');
    log(code === 1000 || code === 1005 ? 'note' : 'error', `closed: ${text}`);
    if (!isCurrent) return;

    pending = [];
    socket = undefined;
    if (stopped || !$('again').checked || code === 1000) return show('closed', text);
    show('closed', `${text}; next attempt in ${wait} s`, true);
    retry = setTimeout(connect, wait * 1000);
    wait = Math.min(wait * 2, 30);
}

function show(state, detail, waiting = false) {
    $('status').textContent = $('status').className = state;
    $('detail').textContent = detail;
    document.title = `${state} – WebSocket`;
    $('send').disabled = state !== 'open';
    $('close').disabled = state === 'closed' && !waiting;
}

function reconnect() {
    wait = 1;
    connect();
}

function close() {
    clearTimeout(retry);
    stopped = true;
    if (socket) socket.close(1000);
    else show('closed', 'no more attempts');
}

const clock = () => new Date().toTimeString().slice(0, 8);

// Messages.

function send(text) {
    if (socket?.readyState !== WebSocket.OPEN) return false;
    const size = new Blob([text]).size;
    pending.push({ text, id: idOf(text), at: performance.now() });
    if (pending.length > TRIPS) pending.shift();
    socket.send(text);
    lastSent = text;
    log('sent', text, bytes(size));
    count('sent', size);
    return true;
}

function received(data) {
    const now = performance.now();
    const isText = typeof data === 'string';
    const size = isText ? new Blob([data]).size : data.byteLength;
    const ms = isText ? answered(data, now) : undefined;
    const timed = ms !== undefined;

    log('received', isText ? data : `binary: ${hex(data)}`, bytes(size) + (timed ? `, ${format(ms)} ms` : ''));
    count('received', size);
    if (timed) {
        trips = [...trips, { ms, note: `${bytes(size)} at ${clock()}` }].slice(-TRIPS);
        draw(trips);
    }
}

// The time since the message that this answers: the same text, or the same id.
function answered(text, now) {
    const id = idOf(text);
    const i = pending.findIndex(sent => sent.text === text || id !== undefined && sent.id === id);
    if (i >= 0) return now - pending.splice(i, 1)[0].at;
}

function idOf(text) {
    try {
        return JSON.stringify(JSON.parse(text)?.id);
    } catch {
        return undefined;
    }
}

function count(way, size) {
    const now = totals[way] ??= { messages: 0, bytes: 0 };
    now.messages++;
    now.bytes += size;
    $('totals').textContent = Object.entries(totals)
        .map(([name, { messages, bytes: sum }]) => `${messages} ${name} (${bytes(sum)})`).join(', ');
}

// Composer.

const isRest = () => !$('call').hidden;

function compose() {
    const { text, kind } = call(nextId, $('method').value, $('path').value, $('body').value);
    $('message').value = text;
    $('body-kind').textContent = kind;
}

function submit() {
    const message = $('message');
    if (!send(message.value)) return;
    if (isRest()) next();
    else message.value = '';
}

// A new id for the next call, unless the message was written by hand.
function next() {
    const before = call(nextId, $('method').value, $('path').value, $('body').value).text;
    nextId++;
    if ($('message').value === before) compose();
}

function tick() {
    if (isRest()) submit();
    else send($('message').value || lastSent || 'ping');
}

function choose(path) {
    $('call').hidden = path !== '/rest';
    $('url').value = path;
    $('message').value = '';
    history.replaceState(null, '', path === '/rest' ? '#rest' : location.pathname + location.search);
    if (isRest()) compose();
    reconnect();
}

function reset() {
    clear();
    trips = [];
    totals = {};
    $('totals').textContent = '';
    draw(trips);
}

function repeat() {
    clearInterval(ticker);
    const seconds = Number($('seconds').value);
    if ($('repeat').checked && seconds >= .1) ticker = setInterval(tick, seconds * 1000);
}

// Events.

const on = (id, event, act) => $(id).addEventListener(event, act);
const submits = (id, act) => on(id, 'submit', event => {
    event.preventDefault();
    act();
});

submits('connection', reconnect);
submits('composer', submit);
on('close', 'click', close);
on('clear', 'click', reset);
on('target', 'change', event => choose(event.target.value));
for (const id of ['method', 'path', 'body']) on(id, 'input', compose);
on('repeat', 'change', repeat);
on('seconds', 'input', repeat);

on('message', 'keydown', event => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        submit();
    } else if (event.key === 'ArrowUp' && !event.target.value) {
        event.preventDefault();
        event.target.value = lastSent;
    }
});

const SHORTCUTS = { KeyM: () => $('message').focus(), KeyR: reconnect, KeyC: reset };

document.addEventListener('keydown', event => {
    if (!event.altKey || event.ctrlKey || event.metaKey || !SHORTCUTS[event.code]) return;
    event.preventDefault();
    SHORTCUTS[event.code]();
});

new ResizeObserver(() => draw(trips)).observe($('chart'));

const start = location.hash === '#rest' ? '/rest' : '/ws';
document.querySelector(`[name=target][value="${start}"]`).checked = true;
choose(start);
