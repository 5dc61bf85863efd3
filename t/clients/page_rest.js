// The page with the REST bridge: the form that builds calls.

const { check, lines, run, status } = require('./browser.js');

let seen = 0;

// Clicks Send and returns the message, the reply and what is beside it.
async function call(page) {
	await page.click('#send');
	seen += 2;
	const [[sent], [received, beside]] = await lines(page, seen + 1, 2);
	return { sent: sent.slice(2), reply: received.slice(2), beside };
}

run(async ({ page, url }) => {
	await page.goto(url);
	await status(page, 'open');
	check('no form with the echo', await page.isVisible('#call'), false);

	await page.check('[name=target][value="/rest"]');
	await status(page, 'open');
	check('the URL', await page.inputValue('#url'), url.replace('http', 'ws') + 'rest');
	await lines(page, 3);
	await page.click('#clear');
	seen = -1;

	const time = await call(page);
	check('a call', time.sent, '{"id":1,"method":"GET","path":"/api/time"}');
	check('its reply', JSON.parse(time.reply), ({ id, status: code, body }) =>
		id === 1 && code === 200 && Math.abs(body.seconds - Date.now() / 1000) < 60);
	check('its size and time', time.beside, /^\d+ B, \d+(\.\d+)? ms$/);
	check('a point in the chart', await page.locator('#chart circle').count(), 1);

	await page.selectOption('#method', 'POST');
	await page.fill('#path', '/api/echo-args?name=val%22ue');
	await page.fill('#body', '{"n": 1.00}');
	check('JSON is seen as JSON', await page.textContent('#body-kind'), '(JSON)');
	const post = await call(page);
	check('a body goes as it is', post.sent,
		'{"id":2,"method":"POST","path":"/api/echo-args?name=val%22ue","body":{"n": 1.00}}');
	check('the service has got it', JSON.parse(post.reply).body,
		{ method: 'POST', args: 'name=val%22ue', body_bytes: 11 });

	await page.fill('#body', 'not "JSON"');
	check('text is seen as text', await page.textContent('#body-kind'), '(not JSON: sent as text)');
	const text = await call(page);
	check('a text body', text.sent,
		'{"id":3,"method":"POST","path":"/api/echo-args?name=val%22ue","encoding":"text","body":"not \\"JSON\\""}');
	check('the service has got the text', JSON.parse(text.reply).body.body_bytes, 10);

	await page.fill('#body', '');
	await page.selectOption('#method', 'DELETE');
	await page.fill('#path', '/nothing "here"');
	const missing = await call(page);
	check('a path in quotes', JSON.parse(missing.sent), { id: 4, method: 'DELETE', path: '/nothing "here"' });
	check('outside the prefix', JSON.parse(missing.reply).error, /./);
	check('errors are timed', await page.locator('#chart circle').count(), 4);

	await page.fill('#message', '{"id":"mine","path":"/api/time"}');
	const mine = await call(page);
	check('a message by hand', JSON.parse(mine.reply), ({ id, status: code }) => id === 'mine' && code === 200);
	check('stays', await page.inputValue('#message'), '{"id":"mine","path":"/api/time"}');
	await page.fill('#message', 'nonsense');
	check('nonsense', JSON.parse((await call(page)).reply).error, 'bad_json');

	await page.fill('#path', '/api/time');
	check('the form builds again', await page.inputValue('#message'), /^\{"id":\d+,"method":"DELETE","path":"\/api\/time"\}$/);

	await page.selectOption('#method', 'GET');
	await page.fill('#seconds', '0.1');
	await page.check('#repeat');
	await lines(page, seen + 7);
	await page.uncheck('#repeat');
	const ids = await page.locator('#log .sent .text').evaluateAll(items =>
		items.slice(-3).map(item => JSON.parse(item.textContent.slice(2)).id));
	check('repeated calls have their own ids', ids, ids => ids[1] === ids[0] + 1 && ids[2] === ids[1] + 1);

	await page.reload();
	await status(page, 'open');
	check('a bookmark keeps the choice', await page.inputValue('#url'), url.replace('http', 'ws') + 'rest');
});
