// Reads PromQL with the grammar of Prometheus' own web interface.
//
// Input: a JSON array of expressions.  Output: for each, {"errors"} (texts that
// are no PromQL), {"selectors": [{"metric", "matchers": [[label, operator,
// value]]}]} and {"groups": [label]} (of by, without, on).

const { parser } = require('@prometheus-io/lezer-promql');

function read(text) {
	const errors = [], selectors = [], groups = [];
	const at = node => text.slice(node.from, node.to);
	const unquote = s => JSON.parse(`"${s.slice(1, -1).replace(/\\'/g, "'").replace(/"/g, '\\"')}"`);

	parser.parse(text).iterate({
		enter(node) {
			if (node.type.isError) errors.push(text.slice(Math.max(0, node.from - 20), node.to + 20));
			if (node.name === 'VectorSelector') {
				const name = node.node.getChild('Identifier');
				const matchers = [];
				node.node.cursor().iterate(inner => {
					if (inner.name === 'UnquotedLabelMatcher') {
						const [label, op, value] = [inner.node.firstChild, inner.node.firstChild.nextSibling, inner.node.lastChild];
						matchers.push([at(label), at(op), unquote(at(value))]);
					}
				});
				selectors.push({ metric: name && at(name), matchers });
			}
			if (node.name === 'GroupingLabels') {
				for (const label of node.node.getChildren('LabelName')) groups.push(at(label));
			}
		},
	});
	return { errors, selectors, groups };
}

const input = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(input.map(read)));
