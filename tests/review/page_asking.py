"""Asks the server of the review page as the page does."""

import http.client
import json


class Browser:
    """Asks a server as the page does."""

    def __init__(self, url):
        self.host, query = url.removeprefix("http://").split("/")
        self.token = query.partition("=")[2]
        self.port = int(self.host.partition(":")[2])

    def headers(self, **changed):
        cookie = f"yoloop-{self.port}={self.token}"
        origin = f"http://{self.host}"
        known = {"Host": self.host, "Cookie": cookie, "Origin": origin, "Content-Type": "application/json"}
        changed = {key.replace("_", "-"): value for key, value in changed.items()}
        return {key: value for key, value in {**known, **changed}.items() if value is not None}

    def ask(self, method, path, body=None, **changed):
        connection = http.client.HTTPConnection(self.host, timeout=10)
        text = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        connection.request(method, path, text, self.headers(**changed))
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        is_json = answer.headers.get("Content-Type") == "application/json"
        return answer.status, json.loads(data) if is_json else data, answer.headers


def sent(browser, order=1, **changed):
    """Return a sheet as it is now, to send back with changes."""
    _, now, _ = browser.ask("GET", f"/api/sheets/{order}")
    _, packet, _ = browser.ask("GET", "/api/packet")
    kept = {key: now[key] for key in ("revision", "status", "boxes")}
    return {"packet": packet["packet"], "seconds": 1.5, **kept, **changed}
