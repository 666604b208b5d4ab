// SPDX-License-Identifier: Apache-2.0

/// The bytes that the cases read.
enum Sample {
    /// A tool call as agents send it: 12 fields, 529 bytes with the empty line.
    static let requestHead = head([
        "POST /v1/tools/weather?units=metric&days=3 HTTP/1.1",
        "Host: claw.example.com",
        "User-Agent: weather-agent/2.4",
        "Accept: application/json",
        "Accept-Encoding: gzip, deflate, br",
        "Accept-Language: en-GB,en;q=0.8",
        "Content-Type: application/json",
        "Content-Length: 53",
        "Cache-Control: no-cache",
        "Authorization: Bearer \(key)",
        "X-AgentPort-Session: \(String(repeating: "s", count: 43))",
        "X-Request-Id: 0192f0c1-7a1e-7bb2-8c4d-3f2a9e5b7c10",
        "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ])

    static let key = "ap_8mZqV1oT0yJkX4sR7uWn2BcD5eFgHiLp"

    static let responseHead = head([
        "HTTP/1.1 200 OK",
        "Content-Type: application/json; charset=utf-8",
        "Cache-Control: no-cache, private",
        "Date: Sun, 22 Nov 2026 12:00:00 GMT",
        "Server: openclaw",
        "Vary: Accept-Encoding",
        "Content-Length: 1187",
    ])

    static let toolCall = Array(
        """
        {"tool":"weather.lookup","action":"forecast","args":{"city":"Reykjav\\u00edk","days":3,\
        "units":"metric","coordinates":[64.1466,-21.9426],"include":{"wind":true,"uv":false,\
        "alerts":null},"note":"as of this morning, for the ferry"},"sessionKey":"agent:main:1"}
        """.utf8)

    private static func head(_ lines: [String]) -> [UInt8] {
        Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}
