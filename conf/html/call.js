// Builds the message that ws_rest takes for a request.

export function call(id, method, path, body) {
    const members = [`"id":${id}`, `"method":"${method}"`, `"path":${JSON.stringify(path)}`];
    let kind = '';
    if (body.trim()) {
        kind = isJson(body) ? '(JSON)' : '(not JSON: sent as text)';
        // JSON goes as it was written, so that numbers keep their digits.
        members.push(...isJson(body) ? [`"body":${body.trim()}`] : [`"encoding":"text"`, `"body":${JSON.stringify(body)}`]);
    }
    return { text: `{${members.join(',')}}`, kind };
}

function isJson(text) {
    try {
        JSON.parse(text);
        return true;
    } catch {
        return false;
    }
}
