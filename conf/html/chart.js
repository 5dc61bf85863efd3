// Draws round trips, the oldest at the left.

const HEIGHT = 128;
const TOP = 8;
const BOTTOM = HEIGHT - 8;
const LEFT = 44;

const svg = document.getElementById('chart');

export function draw(trips) {
    const width = svg.clientWidth || 320;
    const limit = roundUp(Math.max(0, ...trips.map(trip => trip.ms)));
    const x = i => LEFT + 6 + (width - LEFT - 12) * (trips.length > 1 ? i / (trips.length - 1) : .5);
    const y = ms => BOTTOM - (BOTTOM - TOP) * ms / limit;

    svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    svg.replaceChildren(...[0, limit / 2, limit].flatMap(ms => [
        element('line', { class: 'grid', x1: LEFT, x2: width, y1: y(ms), y2: y(ms) }),
        element('text', { x: LEFT - 6, y: y(ms) + 4, 'text-anchor': 'end' }, format(ms)),
    ]));
    svg.append(element('polyline', { points: trips.map((trip, i) => `${x(i)},${y(trip.ms)}`).join(' ') }));
    trips.forEach((trip, i) => {
        const dot = element('circle', { cx: x(i), cy: y(trip.ms), r: i === trips.length - 1 ? 4 : 2.5 });
        dot.append(element('title', {}, `${format(trip.ms)} ms, ${trip.note}`));
        svg.append(dot);
    });

    const sorted = trips.map(trip => trip.ms).sort((a, b) => a - b);
    // The smallest that so large a part of all is not above.
    const at = part => sorted[Math.ceil(sorted.length * part) - 1];
    const numbers = { last: trips.at(-1)?.ms, median: at(.5), p95: at(.95), max: sorted.at(-1) };
    for (const [id, ms] of Object.entries(numbers)) {
        document.getElementById(id).textContent = ms === undefined ? '–' : format(ms);
    }
    svg.setAttribute('aria-label', trips.length
        ? `${trips.length} round trips, the last ${format(numbers.last)}, the slowest ${format(numbers.max)} ms`
        : 'No round trips yet');
}

export function format(ms) {
    return ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
}

// The next of 1, 2, 5, 10, 20, ...
function roundUp(ms) {
    const power = 10 ** Math.floor(Math.log10(ms || 1));
    return [1, 2, 5, 10].map(n => n * power).find(n => n >= ms);
}

function element(name, attributes, text = '') {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
}
