// The page without a mouse.

const { check, lines, run, status } = require('./browser.js');

const focus = page => page.evaluate(() => document.activeElement.id || document.activeElement.value
	|| document.activeElement.tagName);

// Where Tab leads from here until it has been everywhere.
async function order(page) {
	const ids = [];
	while (ids.length < 30) {
		await page.keyboard.press('Tab');
		const id = await focus(page);
		if (id === 'BODY' || ids.includes(id)) break;
		ids.push(id);
		const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
		if (outline === 'none') check(`the focus can be seen on ${id}`, outline, 'solid');
	}
	return ids;
}

async function press(page, ...keys) {
	for (const key of keys) await page.keyboard.press(key);
}

run(async ({ page, url }) => {
	await page.goto(url);
	await status(page, 'open');
	check('starts in the message', await focus(page), 'message');

	await page.keyboard.type('one');
	await press(page, 'Shift+Enter');
	await page.keyboard.type('two');
	await press(page, 'Enter');
	check('Enter sends', (await lines(page, 3, 2)).map(line => line[0]), ['> one\ntwo', '< one\ntwo']);
	check('stays in the message', await focus(page), 'message');

	await press(page, 'ArrowUp');
	check('arrow up', await page.inputValue('#message'), 'one\ntwo');
	await press(page, 'ArrowUp', 'Enter');
	await lines(page, 5);
	await page.keyboard.type('x');
	await press(page, 'Tab', 'Space');
	check('Space on Send', (await lines(page, 7, 1))[0][0], '< x');

	await press(page, 'Alt+c');
	check('Alt C clears', await page.locator('#log li, #chart circle').count(), 0);
	await press(page, 'Alt+m');
	check('Alt M goes to the message', await focus(page), 'message');
	await press(page, 'Alt+r');
	check('Alt R reconnects', (await lines(page, 2)).map(line => line[0]).sort(),
		([closed, open]) => closed === 'closed: 1000 done' && /^open: /.test(open));
	await status(page, 'open');
	check('shortcuts type nothing', await page.inputValue('#message'), '');

	await page.evaluate(() => document.activeElement.blur());
	await page.reload();
	await status(page, 'open');
	await page.evaluate(() => document.activeElement.blur());
	await page.focus('[name=target]:checked');
	await press(page, 'Shift+Tab');
	check('the order with the echo', await order(page), ['/ws', 'url', 'reconnect', 'close', 'again',
		'message', 'send', 'repeat', 'seconds', 'clear', 'log', 'SUMMARY']);

	await page.focus('[name=target]:checked');
	await press(page, 'ArrowRight');
	await page.waitForFunction(() => document.getElementById('url').value.endsWith('/rest'));
	await status(page, 'open');
	await press(page, 'Shift+Tab');
	check('the order with REST', await order(page), ['/rest', 'url', 'reconnect', 'close', 'again',
		'method', 'path', 'body', 'message', 'send', 'repeat', 'seconds', 'clear', 'log', 'SUMMARY']);

	// A call from the method to Enter.
	await press(page, 'Alt+c');
	await page.focus('#again');
	await press(page, 'Tab');
	await page.keyboard.type('PO');
	await press(page, 'Tab', 'Control+a');
	await page.keyboard.type('/api/echo-args?by=keys');
	await press(page, 'Escape', 'Tab');
	await page.keyboard.type('[1]');
	await press(page, 'Alt+m', 'Enter');
	const [[sent], [reply]] = await lines(page, 2);
	check('a call', sent, '> {"id":1,"method":"POST","path":"/api/echo-args?by=keys","body":[1]}');
	check('its reply', reply, /"status":200,.*"args":"by=keys","body_bytes":3/);

	await press(page, 'Alt+c');
	await page.focus('#path');
	await press(page, 'Enter');
	await lines(page, 2);
	check('Enter in the path sends', (await lines(page, 2))[0][0], /^> \{"id":2,/);

	// The shortcuts are on the page.
	await page.focus('summary');
	await press(page, 'Enter');
	check('the keys are listed', await page.locator('#keys kbd').allInnerTexts(),
		['Enter', 'Shift', 'Enter', '↑', 'Alt', 'M', 'Alt', 'R', 'Alt', 'C']);
	check('and can be seen', await page.isVisible('#keys'), true);

	const nameless = await page.locator('input, textarea, select, button').evaluateAll(all => all.filter(e =>
		!(e.ariaLabel || e.textContent.trim() && e.tagName === 'BUTTON' || e.labels?.length)).map(e => e.id));
	check('every control has a name', nameless, []);
});
