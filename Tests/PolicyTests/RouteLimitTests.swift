// SPDX-License-Identifier: Apache-2.0

import Policy
import TestSupport
import Testing

/// `limits` and `timeouts` of a route.
@Suite struct RouteLimitTests {
    /// One route, what it says of itself on the third line.
    private static func route(_ name: String, _ members: String, _ lines: String...)
        -> FaultyPolicy
    {
        FaultyPolicy(
            name: name,
            text: "{\"agentport\":1,\"routes\":[\n{\"path\":\"/\",\n\(members)}]}", lines: lines)
    }

    /// A listener's limits on the first line, the route's on the third.
    private static func beneath(
        _ listener: String, _ name: String, _ limits: String, _ lines: String...
    ) -> FaultyPolicy {
        FaultyPolicy(
            name: name,
            text:
                "{\"agentport\":1,\"listen\":{\"limits\":{\(listener)}},"
                + "\"routes\":[\n{\"path\":\"/\",\n"
                + "\"limits\":{\(limits)}}]}",
            lines: lines)
    }

    static let faults: [FaultyPolicy] = [
        route(
            "the listener's own",
            "\"limits\":{\"connections\":5,\"connections_per_ip\":5,\n"
                + "\"header_timeout\":\"1s\",\"keepalive_timeout\":\"x\"}",
            "3:11: /routes/0/limits/connections: `connections` belongs to `listen.limits`: it is "
                + "decided before a route is known",
            "3:27: /routes/0/limits/connections_per_ip: `connections_per_ip` belongs to "
                + "`listen.limits`: it is decided before a route is known",
            "4:1: /routes/0/limits/header_timeout: `header_timeout` belongs to `listen.limits`: "
                + "it is decided before a route is known",
            "4:23: /routes/0/limits/keepalive_timeout: `keepalive_timeout` belongs to "
                + "`listen.limits`: it is decided before a route is known"
        ),
        route(
            "not built", "\"limits\":{\"buffered\":\"1MiB\"}",
            "3:11: /routes/0/limits/buffered: `buffered` is not built yet in this version"),
        route(
            "typing errors",
            "\"limit\":{},\"timeout\":{},\n"
                + "\"limits\":{\"bodytimeout\":\"1s\",\"bdy\":\"1B\","
                + "\"keepalive_timeuot\":\"1s\"},\n"
                + "\"timeouts\":{\"firstbyte\":\"1s\",\"idel\":\"1s\",\"connect\":\"1s\"}",
            "3:1: /routes/0/limit: unknown key `limit`; did you mean `limits`?",
            "3:12: /routes/0/timeout: unknown key `timeout`; did you mean `timeouts`?",
            "4:11: /routes/0/limits/bodytimeout: unknown key `bodytimeout`; did you mean "
                + "`body_timeout`?",
            "4:30: /routes/0/limits/bdy: unknown key `bdy`; did you mean `body`?",
            "4:41: /routes/0/limits/keepalive_timeuot: unknown key `keepalive_timeuot`; did you "
                + "mean `keepalive_timeout`?",
            "5:13: /routes/0/timeouts/firstbyte: unknown key `firstbyte`; did you mean "
                + "`first_byte`?",
            "5:30: /routes/0/timeouts/idel: unknown key `idel`; did you mean `idle`?",
            "5:42: /routes/0/timeouts/connect: unknown key `connect`"),
        route(
            "kinds", "\"limits\":[],\"timeouts\":null",
            "3:10: /routes/0/limits: must be an object, not an array",
            "3:24: /routes/0/timeouts: must be an object, not null"),
        route(
            "values",
            "\"limits\":{\"body\":5,\"body_timeout\":\"5\",\"header_bytes\":\"1KB\",\n"
                + "\"header_fields\":\"9\",\"request_line\":null}",
            "3:18: /routes/0/limits/body: must be a string, not a number",
            "3:35: /routes/0/limits/body_timeout: must be a duration from 100ms to 1h, as in `30s`",
            "3:54: /routes/0/limits/header_bytes: must be a size from 1KiB to 32KiB, as in "
                + "`\"64KiB\"`",
            "4:17: /routes/0/limits/header_fields: must be a number, not a string",
            "4:36: /routes/0/limits/request_line: must be a string, not null"),
        beneath(
            "\"header_bytes\":\"8KiB\",\"header_fields\":50,\"request_line\":\"4KiB\"",
            "beyond the listener's",
            "\"header_bytes\":\"9KiB\",\"header_fields\":51,\"request_line\":\"4097B\"",
            "3:26: /routes/0/limits/header_bytes: can never apply: the listener's is 8KiB",
            "3:49: /routes/0/limits/header_fields: can never apply: the listener's is 50",
            "3:67: /routes/0/limits/request_line: can never apply: the listener's is 4KiB"),
        beneath(
            "", "beyond the listener's default",
            "\"header_fields\":101,\"request_line\":\"9KiB\"",
            "3:27: /routes/0/limits/header_fields: can never apply: the listener's is 100",
            "3:46: /routes/0/limits/request_line: can never apply: the listener's is 8KiB"),
        // The line is part of the head, so the listener's is no longer than its head.
        beneath(
            "\"header_bytes\":\"4KiB\"", "beyond the listener's head",
            "\"request_line\":\"5KiB\"",
            "3:26: /routes/0/limits/request_line: can never apply: the listener's is 4KiB"),
        beneath(
            "", "a line longer than the head",
            "\"header_bytes\":\"2KiB\",\"request_line\":\"2049B\"",
            "3:48: /routes/0/limits/request_line: must not be larger than `header_bytes`, 2KiB"),
        beneath(
            "\"header_fields\":7", "a listener's that cannot be read", "\"header_fields\":120",
            "1:52: /listen/limits/header_fields: must be a whole number from 8 to 128"),
    ]

    @Test(arguments: faults)
    func fault(_ policy: FaultyPolicy) { policy.check() }

    @Test func whatIsLeftOutIsAsElsewhere() throws {
        let configuration = try #require(
            load(
                policy:
                    "{\"agentport\":1,\"routes\":[{\"path\":\"/\",\"limits\":{},\"timeouts\":{}}]}"
            )
            .configuration)
        #expect(configuration.routes == [Configuration.Route(path: "/", upstreamIndex: 0)])
    }

    @Test func aBodyMayBeWiderThanTheListeners() throws {
        let text = """
            {"agentport":1,"listen":{"limits":{"body":"1MiB","body_timeout":"1s","header_fields":50,
            "header_bytes":"8KiB","request_line":"4KiB"}},"routes":[{"path":"/a","public":true,
            "limits":{"body":"16MiB","body_timeout":"1m","header_fields":50,"header_bytes":"8KiB",
            "request_line":"4KiB"},"timeouts":{"first_byte":"2m","idle":"30s"}},
            {"path":"/b","limits":{"body":"0B"},"timeouts":{"idle":"1s"}},
            {"path":"/","limits":{"header_bytes":"1KiB"}}]}
            """
        let outcome = load(policy: text)
        #expect(outcome.faults == [])
        var limits = Configuration.RouteLimits()
        limits.bodyBytes = 16 << 20
        limits.bodyTimeoutMilliseconds = 60_000
        limits.headerFields = 50
        limits.headerBytes = 8 << 10
        limits.requestLineBytes = 4 << 10
        var timeouts = Configuration.RouteTimeouts()
        timeouts.firstByteMilliseconds = 120_000
        timeouts.idleMilliseconds = 30_000
        let routes = try #require(outcome.configuration).routes
        #expect(routes[0].limits == limits)
        #expect(routes[0].timeouts == timeouts)
        limits = Configuration.RouteLimits()
        limits.bodyBytes = 0
        #expect(routes[1].limits == limits)
        #expect(routes[1].timeouts.firstByteMilliseconds == nil)
        #expect(routes[1].timeouts.idleMilliseconds == 1000)
        // A line that is as long as the listener allows may well be longer than this head.
        #expect(routes[2].limits.headerBytes == 1024)
        #expect(routes[2].limits.requestLineBytes == nil)
    }
}
