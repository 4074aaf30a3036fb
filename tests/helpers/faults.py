"""What a web service may answer wrongly, the same list for every client."""

from tests.helpers.service import Fault

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: "

# May be gone when the same is asked again.
PASSING = {
    "408": Fault("status", 408),
    "429": Fault("status", 429),
    "500": Fault("status", 500),
    "503 with Retry-After": Fault("status", 503, {"Retry-After": "0"}),
    "Retry-After that is no number": Fault("status", 503, {"Retry-After": "\u00b2"}),
    "Retry-After before now": Fault("status", 503, {"Retry-After": "-5"}),
    "Retry-After of an impossible date": Fault("status", 503, {"Retry-After": "Mon, 99 Foo 9999 99:99"}),
    "fewer bytes than announced": Fault("truncated"),
    "half a body": Fault("cut"),
    "a page of HTML": Fault("html"),
    "an empty answer": Fault("raw", body=SIZED + b"0\r\n\r\n"),
    "no content": Fault("raw", body=b"HTTP/1.1 204 No Content\r\n\r\n"),
    "no more than a zero": Fault("raw", body=SIZED + b"1\r\n\r\n0"),
    "UTF-16": Fault("raw", body=SIZED + b"6\r\n\r\n\xff\xfe{\x00}\x00"),
    "a length of 30 digits": Fault("raw", body=SIZED + b"9" * 30 + b"\r\n\r\n{"),
    "a length below zero": Fault("raw", body=SIZED + b"-5\r\n\r\n{"),
    "two lengths": Fault("raw", body=SIZED + b"1\r\nContent-Length: 2\r\n\r\n{}"),
    "300 headers": Fault("raw", body=b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 300 + b"\r\n{}"),
    "no headers at all": Fault("raw", body=b"{}\n"),
    "a chunk that is cut off": Fault("raw", body=CHUNKED + b"\r\nff\r\n{"),
    "a chunk of no length": Fault("raw", body=CHUNKED + b"\r\nxyz\r\n{"),
    "damaged compression": Fault("raw", body=SIZED + b"9\r\nContent-Encoding: gzip\r\n\r\nno gzip.."),
    "too slow": Fault("slow", seconds=1.0),
    "connection reset": Fault("reset"),
    "connection closed": Fault("raw"),
}
# Is not over in time, or larger than any answer.
ENDLESS = {
    "a byte now and then": Fault("drip", seconds=0.05),
    "a header without end": Fault("raw", body=b"HTTP/1.1 200 OK\r\nX-A: ", more=b"a", seconds=0.05),
    "an interim answer again and again": Fault("raw", more=b"HTTP/1.1 100 Continue\r\n\r\n", seconds=0.01),
    "chunks without end": Fault(
        "raw", body=CHUNKED + b"\r\n", more=b"1000\r\n" + b" " * 4096 + b"\r\n", seconds=0.0
    ),
    "a chunk now and then": Fault("raw", body=CHUNKED + b"\r\n", more=b"1\r\n \r\n", seconds=0.05),
    "a chunk's length without end": Fault("raw", body=CHUNKED + b"\r\n", more=b"0", seconds=0.05),
    "trailers without end": Fault("raw", body=CHUNKED + b"\r\n0\r\n", more=b"X-A: b\r\n", seconds=0.01),
    "compression that holds nothing": Fault(  # empty blocks of deflate
        "raw",
        body=CHUNKED + b"Content-Encoding: gzip\r\n\r\na\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03\r\n",
        more=b"5\r\n\0\0\0\xff\xff\r\n",
        seconds=0.01,
    ),
    "a compressed bomb": Fault("bomb"),
    "a bomb in a bomb": Fault("bomb", times=2),
    "a bomb in a bomb in a bomb": Fault("bomb", times=3),
}
# Would be the same again.
FINAL = {
    **{str(code): Fault("status", code) for code in (400, 401, 403, 404, 410, 451)},
    "a wait of a year": Fault("status", 503, {"Retry-After": "31536000"}),
    "a wait of 400 digits": Fault("status", 429, {"Retry-After": "9" * 400}),
    "not modified": Fault("raw", body=b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "moved without an address": Fault("status", 302),
    "moved in a circle": Fault("status", 302, {"Location": "?again=1"}),
    "moved to a file": Fault("status", 302, {"Location": "file:///etc/passwd"}),
    "moved to FTP": Fault("status", 307, {"Location": "ftp://127.0.0.1/x"}),
    "moved to no address": Fault("status", 308, {"Location": "http://["}),
    "moved to half an address": Fault("status", 301, {"Location": "http://"}),
    "moved to a port that is none": Fault("status", 301, {"Location": "http://127.0.0.1:99999999/"}),
}
