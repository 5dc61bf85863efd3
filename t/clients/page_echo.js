// The page with the echo, and with servers that do what nginx does not.

const { check, lines, run, status } = require('./browser.js');

const HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>&amp;';

async function send(page, text) {
	await page.fill('#message', text);
	await page.click('#send');
}

async function open(page, url) {
	await page.fill('#url', url);
	await page.press('#url', 'Enter');
	await status(page, 'open');
}

async function messages(page, url) {
	check('the URL', await page.inputValue('#url'), url.replace('http', 'ws') + 'ws');
	check('the state', await page.textContent('#detail'), /^ws:.*\/ws, since \d\d:\d\d:\d\d$/);

	await send(page, 'hello');
	const [sent, received] = await lines(page, 3, 2);
	check('sent', sent, ['> hello', '5 B']);
	check('received', received[0], '< hello');
	check('size and time', received[1], /^5 B, \d+(\.\d+)? ms$/);
	check('when', await page.locator('#log time').last().textContent(), /^\d\d:\d\d:\d\d\.\d{3}$/);
	check('the message is empty again', await page.inputValue('#message'), '');

	await send(page, 'Grüße\n世界 😀');
	check('more than ASCII', await lines(page, 5, 2).then(all => all.map(line => [line[0], line[1].split(',')[0]])),
		[['> Grüße\n世界 😀', '19 B'], ['< Grüße\n世界 😀', '19 B']]);

	await send(page, HOSTILE);
	check('HTML is text', (await lines(page, 7, 1))[0][0], '< ' + HOSTILE);
	check('HTML makes no elements', await page.locator('#log :is(img, script)').count(), 0);
	check('HTML runs nothing', await page.evaluate('window.hit'), undefined);

	await send(page, 'x'.repeat(6000));
	const [long] = await lines(page, 9, 1);
	check('a long message is cut', long[0], /^< x{5000}… and 1000 more$/);
	check('a long message has its size', long[1], /^6\.0 kB, /);

	await send(page, '');
	check('an empty message', (await lines(page, 11, 1))[0].join('|'), /^< \|0 B, /);
	check('totals', await page.textContent('#totals'), '5 sent (6.1 kB), 5 received (6.1 kB)');
}

async function chart(page) {
	const seen = await page.evaluate(() => {
		const numbers = (selector, name) => [...document.querySelectorAll(selector)].map(e => +e.getAttribute(name));
		return {
			x: numbers('#chart circle', 'cx'),
			y: numbers('#chart circle', 'cy'),
			corners: document.querySelector('#chart polyline').points.length,
			label: document.getElementById('chart').getAttribute('aria-label'),
			numbers: [...document.querySelectorAll('#numbers dd')].map(e => +e.textContent),
		};
	});
	check('a point for each', [seen.x.length, seen.corners], [5, 5]);
	check('from left to right', seen.x, x => x.every((n, i) => !i || n > x[i - 1]));
	check('inside the chart', seen.y, y => y.every(n => n >= 8 && n <= 120));
	check('the chart in words', seen.label, /^5 round trips, the last [\d.]+, the slowest [\d.]+ ms$/);
	check('the numbers', seen.numbers, ([last, median, p95, max]) =>
		last >= 0 && median <= p95 && p95 <= max && last <= max && max < 20000);

	await page.click('#clear');
	check('clear', await page.evaluate(() => ['#log li', '#chart circle'].map(s => document.querySelectorAll(s).length)),
		[0, 0]);
	check('no totals', await page.textContent('#totals'), '');
	check('no numbers', await page.textContent('#max'), '–');
}

async function closing(page) {
	await page.click('#close');
	await status(page, 'closed');
	check('closed here', await page.textContent('#detail'), '1000 done');
	check('no sending', await page.isDisabled('#send'), true);
	check('closed in the log', (await lines(page, 1, 1))[0][0], 'closed: 1000 done');
	await page.waitForTimeout(1500);
	check('stays closed', await page.textContent('#status'), 'closed');
	await page.click('#reconnect');
	await status(page, 'open');

	await send(page, 'x'.repeat((1 << 20) + 1));
	await status(page, 'closed');
	check('closed by nginx', await page.textContent('#detail'), /^1009 too big.*; next attempt in 1 s$/);
	await status(page, 'open');
	check('back by itself', (await lines(page, 5, 1))[0][0], /^open: ws:/);

	await page.fill('#url', 'ws://[');
	await page.press('#url', 'Enter');
	await status(page, 'closed');
	check('a bad URL', [await page.textContent('#detail'), await page.getAttribute('#url', 'aria-invalid')],
		['this is not the URL of a WebSocket', 'true']);
}

// A server in the browser's driver.
function otherServer(socket) {
	socket.onMessage(text => {
		if (text === 'bytes') return socket.send(Buffer.from([0, 1, 255]));
		if (text === 'leave') return socket.close({ code: 4001, reason: 'no <b>more</b>' });
		if (text === 'silence') return undefined;
		return setTimeout(() => socket.send(text), 200);
	});
}

async function others(page) {
	await open(page, '/other');
	await page.click('#clear');

	await send(page, 'slow');
	await lines(page, 2);
	check('a slow answer', Number(await page.textContent('#last')), ms => ms >= 190 && ms < 5000);
	await send(page, 'silence');
	await send(page, 'bytes');
	check('binary', (await lines(page, 5, 1))[0], ['< binary: 00 01 ff', '3 B']);
	await page.waitForTimeout(700);
	await send(page, 'again');
	await lines(page, 7);
	check('only answers are timed', await page.locator('#chart circle').count(), 2);
	check('and from their own messages', Number(await page.textContent('#last')), ms => ms >= 190 && ms < 700);

	await page.uncheck('#again');
	await send(page, 'leave');
	await status(page, 'closed');
	check('code and reason', await page.textContent('#detail'), '4001, reason: no <b>more</b>');
	check('the reason is text', await page.locator('#detail *').count(), 0);
}

async function repeating(page) {
	await page.check('#again');
	await open(page, '/ws');
	await send(page, 'beat');
	await page.fill('#seconds', '0.1');
	await page.check('#repeat');
	await page.click('#clear');
	const beats = await lines(page, 6);
	check('repeats', beats.map(line => line[0]), texts => texts.every(text => /^[<>] beat$/.test(text)));
	await page.uncheck('#repeat');

	await page.evaluate(() => {
		for (let i = 0; i < 300; i++) {
			document.getElementById('message').value = 'many ' + i;
			document.getElementById('send').click();
		}
	});
	await page.locator('#log', { hasText: '< many 299' }).waitFor();
	check('keeps the last lines and points', await page.evaluate(() =>
		['#log li', '#chart circle'].map(s => document.querySelectorAll(s).length)), [500, 100]);
	check('the numbers are those of the points', await page.evaluate(() => {
		const points = [...document.querySelectorAll('#chart title')].map(e => parseFloat(e.textContent));
		const sorted = points.toSorted((a, b) => a - b);
		const shown = ['last', 'median', 'p95', 'max'].map(id => +document.getElementById(id).textContent);
		return shown.map((n, i) => n - [points.at(-1), sorted[49], sorted[94], sorted[99]][i]);
	}), [0, 0, 0, 0]);
}

run(async ({ page, url }) => {
	await page.routeWebSocket(/\/other$/, otherServer);
	await page.goto(url);
	await status(page, 'open');
	await messages(page, url);
	await chart(page);
	await closing(page);
	await others(page);
	await repeating(page);
});
