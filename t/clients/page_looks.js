// The page in dark and light, wide and on a phone.  Numbers stand in for eyes:
// contrast as WCAG 2 defines it, and nothing beyond the edges.

const { check, lines, run, status } = require('./browser.js');

// Runs in the page: the lowest contrast of its texts, and the page's lightness.
function colours() {
	const channels = colour => colour.match(/[\d.]+/g).map(Number);
	const luminance = colour => channels(colour).slice(0, 3)
		.map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
	const ground = element => {
		const colour = getComputedStyle(element).backgroundColor;
		return (channels(colour)[3] ?? 1) > 0 || !element.parentElement ? colour : ground(element.parentElement);
	};
	const contrast = element => {
		const [a, b] = [getComputedStyle(element).color, ground(element)].map(luminance).sort((x, y) => y - x);
		return (a + .05) / (b + .05);
	};
	const texts = [...document.querySelectorAll('body *')].filter(e => !e.closest('svg')
		&& e.checkVisibility() && !e.disabled && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
	const worst = texts.map(e => [contrast(e), e.id || e.className || e.tagName]).sort((a, b) => a[0] - b[0])[0];
	const style = selector => getComputedStyle(document.querySelector(selector));
	return {
		worst,
		texts: texts.length,
		page: luminance(style('body').backgroundColor),
		// What is drawn, against the panel it is on: WCAG asks for 3.
		line: (([a, b]) => (a + .05) / (b + .05))([style('#chart polyline').stroke, style('#messages').backgroundColor]
			.map(luminance).sort((x, y) => y - x)),
	};
}

// Runs in the page: what is cut off, or too small for a finger.
function misfits() {
	const width = document.documentElement.clientWidth;
	return [...document.querySelectorAll('main *, header *')].filter(e => e.checkVisibility()).filter(e => {
		const { left, right, height } = e.getBoundingClientRect();
		const small = e.matches('button, select, textarea, input:not([type=checkbox], [type=radio]), .check, #target label')
			&& height < 24;
		return left < 0 || right > width + .5 || small;
	}).map(e => e.id || e.className || e.tagName);
}

async function fill(page) {
	for (const text of ['hello', 'x'.repeat(300), '<'.repeat(30)]) {
		await page.fill('#message', text);
		await page.click('#send');
	}
	await page.locator('#log', { hasText: '< ' + '<'.repeat(30) }).waitFor();
}

run(async ({ page, url }) => {
	for (const scheme of ['light', 'dark']) {
		await page.emulateMedia({ colorScheme: scheme });
		await page.goto(url);
		await status(page, 'open');
		await fill(page);

		const open = await page.evaluate(colours);
		check(`${scheme}, page`, open.page, n => scheme === 'light' ? n > .8 : n < .05);
		check(`${scheme}, texts`, open.texts, n => n > 30);
		check(`${scheme}, contrast`, open.worst, worst => worst[0] >= 4.5);
		check(`${scheme}, contrast of the chart`, open.line, n => n >= 3);

		await page.fill('#message', 'x'.repeat((1 << 20) + 1));
		await page.uncheck('#again');
		await page.click('#send');
		await status(page, 'closed');
		const closed = await page.evaluate(colours);
		check(`${scheme}, contrast when closed`, closed.worst, worst => worst[0] >= 4.5);
		await page.check('#again');
	}

	for (const [width, height] of [[1280, 800], [800, 600], [390, 844], [360, 740], [320, 568]]) {
		await page.setViewportSize({ width, height });
		for (const target of ['/ws', '/rest']) {
			await page.goto(url + (target === '/rest' ? '?r#rest' : '?e'));
			await status(page, 'open');
			if (target === '/ws') await fill(page);
			else await page.click('#send').then(() => lines(page, 3));
			if (width === 1280) check(`${width} wide, ${target}, all in one view`, await page.evaluate(() =>
				Math.max(...[...document.querySelectorAll('main > :not(details)')].map(e => e.getBoundingClientRect().bottom))
					- innerHeight), n => n <= 0);
			await page.click('summary');

			const name = `${width} wide, ${target}`;
			check(`${name}, nothing sticks out`, await page.evaluate(misfits), []);
			check(`${name}, no scrolling sideways`,
				await page.evaluate(() => document.scrollingElement.scrollWidth), n => n <= width);
			check(`${name}, the chart fills its place`, await page.evaluate(() => {
				const { clientWidth, viewBox } = document.getElementById('chart');
				return Math.abs(clientWidth - viewBox.baseVal.width);
			}), n => n <= 1);
			check(`${name}, the last message is in view`, await page.evaluate(() => {
				const log = document.getElementById('log');
				return log.scrollHeight - log.scrollTop - log.clientHeight;
			}), n => n <= 1);
		}
	}
});
