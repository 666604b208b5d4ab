# SPDX-License-Identifier: Apache-2.0
"""How long a request is: RFC 9112 section 6, lengths and codings."""

from .edge import (CHUNKED, CHUNKS, MALFORMED, NOTHING, Outcome, case, get,
                   post, refuse, served)

HELLO = b"hello"
TOO_LARGE = Outcome(413, "body_too_large", True, NOTHING)


def length(value, body=HELLO):
    return post(b"Content-Length:" + value, body=body)


def coding(value, body=CHUNKS):
    return post(b"Transfer-Encoding:" + value, body=body)


def hello(**members):
    return served(method="POST", body=HELLO, absent=("Transfer-Encoding",), **members)


def abc(**members):
    return served(method="POST", body=b"abc", **members)


LENGTHS = refuse("9112 6.2", {
    "a length with a plus": length(b" +5"),
    "a length with a minus": length(b" -5"),
    "a length of minus 0": length(b" -0", b""),
    "a length in hexadecimal": length(b" 0x5"),
    "a length in binary": length(b" 0b101"),
    "a length with an underscore": length(b" 0_5"),
    "a length with an exponent": length(b" 5e0"),
    "a length with a fraction": length(b" 5.0"),
    "a length with a letter behind": length(b" 5x"),
    "a length with a letter before": length(b" x5"),
    "a length with a hexadecimal digit": length(b" a"),
    "a length in quotes": length(b' "5"'),
    "a length with a semicolon": length(b" 5;"),
    "a length with a parameter": length(b" 5;q=1"),
    "a length with a space within": length(b" 1 0"),
    "a length in two words": length(b" 5 5"),
    "a length with a tab within": length(b" 1\t0"),
    "a length after a vertical tab": length(b" \x0b5"),
    "a length before a vertical tab": length(b" 5\x0b"),
    "a length after a form feed": length(b" \x0c5"),
    "a length before a form feed": length(b" 5\x0c"),
    "a length before NUL": length(b" 5\x00"),
    "a length before a bare CR": length(b" 5\r"),
    "a length after a no-break space": length(b" \xa05"),
    "a length before NEL": length(b" 5\x85"),
    "a length in full-width digits": length(b" \xef\xbc\x95"),
    "a length in Arabic digits": length(b" \xd9\xa5"),
    "a length in superscript": length(b" \xb3"),
    "a length of nothing": length(b""),
    "a length of spaces": length(b"   "),
    "a length of a word": length(b" five"),
    "a length with a grouping comma": length(b" 1,000"),
    "a list of equal lengths": length(b" 5, 5"),
    "a list of equal lengths without space": length(b" 5,5"),
    "a list of unlike lengths": length(b" 5, 0"),
    "a length and an empty member": length(b" 5,"),
    "an empty member and a length": length(b" ,5"),
    "equal lengths on two lines": post(b"Content-Length: 5", b"Content-Length: 5", body=HELLO),
    "unlike lengths on two lines": post(b"Content-Length: 5", b"Content-Length: 0", body=HELLO),
    "unlike lengths, the first 0": post(b"Content-Length: 0", b"Content-Length: 5", body=HELLO),
    "lengths 5 and 05": post(b"Content-Length: 5", b"Content-Length: 05", body=HELLO),
    "equal lengths, names in unlike case": post(b"Content-Length: 5", b"content-length: 5",
                                                body=HELLO),
    "equal lengths far apart": post(b"Content-Length: 5", b"X: y", b"Content-Length: 5",
                                    body=HELLO),
    "a length and an empty length": post(b"Content-Length: 5", b"Content-Length:", body=HELLO),
    "three lengths": post(*[b"Content-Length: 5"] * 3, body=HELLO),
    "a length of 2^64 + 5": length(b" 18446744073709551621"),
    "a length of 300 digits": length(b" " + b"9" * 300),
}) + refuse("9112 6.2: a length that nothing holds is malformed or too large", {
    "a length of 2^63 - 1": length(b" 9223372036854775807"),
    "a length of 2^63": length(b" 9223372036854775808"),
    "a length of 2^64 - 1": length(b" 18446744073709551615"),
    "a length of 2^64": length(b" 18446744073709551616"),
    "a length of 2^32 + 5": length(b" 4294967301"),
}, (MALFORMED, TOO_LARGE)) + [
    case("9112 6.2", "a length", length(b" 5"), hello(fields=(("Content-Length", "5"),))),
    case("9112 6.2", "a length of 0", length(b" 0", b""), served(method="POST")),
    case("9112 5.1", "a length without space", length(b"5"), hello()),
    case("9112 5.1", "a length after tabs", length(b"\t \t5 \t"), hello()),
    case("9110 5.1", "a length in capitals", post(b"CONTENT-LENGTH: 5", body=HELLO), hello()),
    case("9112 6", "GET with a length", get(b"Content-Length: 5") + HELLO, served(body=HELLO)),
    case("9112 6", "GET with a length of 0", get(b"Content-Length: 0"), served()),
    case("9112 6.3", "POST with neither", post(), served(method="POST")),
    # 1*DIGIT allows leading zeros; a parser that takes them for octal would disagree, so a
    # refusal is right too, and so is no other number than this.
    case("9112 6.2", "a length with zeros before", length(b" 0005"), hello(), MALFORMED),
    case("9112 6.2", "a length that looks octal", length(b" 010", b"helloworld"),
         served(method="POST", body=b"helloworld"), MALFORMED),
    case("9112 6.2", "a length with 30 zeros before", length(b" " + b"0" * 30 + b"5"), hello(),
         MALFORMED),
]

CODINGS = refuse("9112 6.1", {
    "identity": coding(b" identity", b""),
    "identity, chunked": coding(b" identity, chunked"),
    "chunked, identity": coding(b" chunked, identity"),
    "gzip": coding(b" gzip", b""),
    "gzip, chunked": coding(b" gzip, chunked"),
    "chunked, gzip": coding(b" chunked, gzip"),
    "deflate, chunked": coding(b" deflate, chunked"),
    "chunked, chunked": coding(b" chunked, chunked"),
    "chunked,chunked": coding(b" chunked,chunked"),
    "chunked on two lines": post(CHUNKED, CHUNKED, body=CHUNKS),
    "chunked, then identity": post(CHUNKED, b"Transfer-Encoding: identity", body=CHUNKS),
    "identity, then chunked": post(b"Transfer-Encoding: identity", CHUNKED, body=CHUNKS),
    "chunked, then nothing": post(CHUNKED, b"Transfer-Encoding:", body=CHUNKS),
    "nothing, then chunked": post(b"Transfer-Encoding:", CHUNKED, body=CHUNKS),
    "chunked, then cow": post(CHUNKED, b"transfer-encoding: cow", body=CHUNKS),
    "an empty coding": coding(b""),
    # RFC 9110 section 5.6.1 lets a recipient skip empty members; as parsers differ on them, a
    # strict one takes none.
    "an empty member first": coding(b" , chunked"),
    "an empty member last": coding(b" chunked,"),
    "nothing but a comma": coding(b" ,"),
    "a parameter": coding(b" chunked;q=1"),
    "an empty parameter": coding(b" chunked;"),
    "a weight of 0": coding(b" chunked;q=0"),
    "a coding in double quotes": coding(b' "chunked"'),
    "a coding in single quotes": coding(b" 'chunked'"),
    "xchunked": coding(b" xchunked"),
    "chunkedx": coding(b" chunkedx"),
    "chunk": coding(b" chunk"),
    "x chunked": coding(b" x chunked"),
    "chunked x": coding(b" chunked x"),
    "chunked with a space within": coding(b" chun ked"),
    "chunked and a dot": coding(b" chunked."),
    "a coding in brackets": coding(b" [chunked]"),
    "a coding with a comment": coding(b" chunked (yes)"),
    "an escaped coding": coding(b" %63hunked"),
    "a coding with an accent": coding(b" ch\xfcnked"),
    "a Kelvin sign in the coding": coding(b" chun\xe2\x84\xaaed"),
    "a vertical tab before": coding(b" \x0bchunked"),
    "a no-break space before": coding(b" \xa0chunked"),
    "a no-break space behind": coding(b" chunked\xa0"),
    "NEL behind": coding(b" chunked\x85"),
    "a byte order mark before": coding(b" \xef\xbb\xbfchunked"),
    "0xff behind": coding(b" chunked\xff"),
    "a colon before": coding(b" : chunked"),
    "an equals sign": coding(b" =chunked"),
}) + refuse("9112 6.1", {
    "chunked and a length": post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n"),
    "a length and chunked": post(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n"),
    "chunked and a length of 0": post(CHUNKED, b"Content-Length: 0", body=b"0\r\n\r\n"),
    "chunked and the right length": post(CHUNKED, b"Content-Length: 13", body=CHUNKS),
    "chunked and an empty length": post(CHUNKED, b"Content-Length:", body=CHUNKS),
    "identity and a length": post(b"Transfer-Encoding: identity", b"Content-Length: 5",
                                  body=b"hello"),
    "an empty coding and a length": post(b"Transfer-Encoding:", b"Content-Length: 5",
                                         body=b"hello"),
    "chunked and a length on GET": get(CHUNKED, b"Content-Length: 5") + b"0\r\n\r\n",
    "chunked in HTTP/1.0": post(CHUNKED, body=CHUNKS, line=b"POST /x HTTP/1.0"),
    "chunked and a length in HTTP/1.0": post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n",
                                             line=b"POST /x HTTP/1.0"),
    "chunked in HTTP/1.0, kept alive": post(CHUNKED, b"Connection: keep-alive", body=CHUNKS,
                                            line=b"POST /x HTTP/1.0"),
}) + [
    case("9112 6.1", "chunked", coding(b" chunked"), abc(absent=("Content-Length",))),
    case("9112 7", "chunked in capitals", coding(b" CHUNKED"), abc()),
    case("9112 7", "chunked in mixed case", coding(b" cHuNkEd"), abc()),
    case("9112 5.1", "chunked without space", coding(b"chunked"), abc()),
    case("9112 5.1", "chunked after a tab", coding(b"\tchunked"), abc()),
    case("9112 5.1", "chunked before a tab", coding(b" chunked\t"), abc()),
    case("9112 5.1", "chunked amid spaces", coding(b"    chunked   "), abc()),
    case("9110 5.1", "the name in capitals", post(b"TRANSFER-ENCODING: chunked", body=CHUNKS),
         abc()),
    case("9112 6", "GET in chunks", get(CHUNKED) + CHUNKS, served(body=b"abc")),
    case("9112 6", "DELETE in chunks", post(CHUNKED, body=CHUNKS, line=b"DELETE /x HTTP/1.1"),
         served(method="DELETE", body=b"abc")),
    case("9112 6", "nothing in chunks", coding(b" chunked", b"0\r\n\r\n"), served(method="POST")),
    case("9110 8.4", "a content coding named chunked",
         post(b"Content-Encoding: chunked", b"Content-Length: 5", body=HELLO),
         hello(fields=(("Content-Encoding", "chunked"),))),
]

# What a recipient may take for a framing field, and is none: it passes as it is and frames
# nothing, or a strict gateway refuses it or drops it.
LIKENESSES = [case("9110 5.1", f"{name.decode()} for a name", get(name + b": " + value), served(),
                   MALFORMED)
              for name, value in [
                  (b"Transfer_Encoding", b"chunked"), (b"Content_Length", b"5"),
                  (b"Transfer-%45ncoding", b"chunked"), (b"TransferEncoding", b"chunked"),
                  (b"X-Transfer-Encoding", b"chunked"), (b"Content-Length-", b"5"),
                  (b"Content.Length", b"5"), (b"Transfer-Encodings", b"chunked"),
                  (b"Transfer-Encodin", b"chunked"), (b"-Content-Length", b"5")]]

ROWS = {"length": LENGTHS, "coding": CODINGS, "likeness": LIKENESSES}
