// SPDX-License-Identifier: Apache-2.0

import Policy
import TestSupport
import Testing

@Suite struct PolicyFaultTests {
    static let documents: [FaultyPolicy] = [
        FaultyPolicy("empty", "", "1:1: the text ends too early"),
        FaultyPolicy(
            "syntax", "{\n  \"listen\": {,}\n}",
            "2:14: /listen: a name in double quotes was expected"),
        FaultyPolicy(
            "duplicate", "{\"agentport\":1,\n \"drain\":{},\n \"drain\":{}}",
            "3:2: /drain: this name stands twice in one object"),
        FaultyPolicy("array", "[]", "1:1: must be an object, not an array"),
        FaultyPolicy(
            "no version", "{}",
            "1:1: the format's version is missing: write `\"agentport\": 1`"),
        FaultyPolicy(
            "version 2", "{\"agentport\":2}",
            "1:14: /agentport: must be 1, the only version of the format there is"),
        FaultyPolicy(
            "every fault at once",
            """
            {
              "agentport": "1",
              "lissten": {},
              "tools": [],
              "routes": [
                { "path": "/é/", "metods": ["GET"] }, // é is one column
                { "path": "v1", "methods": ["get"], "upstream": 5 }
              ]
            }
            """,
            "2:16: /agentport: must be 1, the only version of the format there is",
            "3:3: /lissten: unknown key `lissten`; did you mean `listen`?",
            "4:3: /tools: `tools` is not built yet in this version",
            "6:15: /routes/0/path: `é` is not allowed in a route's path",
            "6:22: /routes/0/metods: unknown key `metods`; did you mean `methods`?",
            "7:15: /routes/1/path: a path begins with `/`",
            "7:33: /routes/1/methods/0: methods are case-sensitive; did you mean `GET`?",
            "7:53: /routes/1/upstream: must be a string, not a number"),
        FaultyPolicy(
            "controls in a name", "{\"agentport\":1,\"a\\nb\":1}",
            "1:16: /a\\u{A}b: unknown key `a\\u{A}b`"),
    ]

    @Test(arguments: documents)
    func document(_ policy: FaultyPolicy) { policy.check() }

    static let listeners: [FaultyPolicy] = [
        .section(
            "address", "\"listen\":{\"address\":\"host:1\"}",
            "2:21: /listen/address: must be an address and a port, as in `0.0.0.0:8443` or "
                + "`[::]:8443`"),
        .section(
            "not built",
            "\"listen\":{\"portal_host\":\"p\",\"limits\":{\"buffered\":\"1MiB\"}}",
            "2:25: /listen/portal_host: `portal_host` other than `null` is not built yet in this "
                + "version",
            "2:39: /listen/limits/buffered: `buffered` is not built yet in this version"),
        .section(
            "public_url", "\"listen\":{\"public_url\":\"http://x\"}",
            "2:24: /listen/public_url: it must begin with `https://`"),
        .section(
            "proxies", "\"listen\":{\"trusted_proxies\":[\"10.1.0.0/8\",\"x\",7,\"::1\",\"::1\"]}",
            "2:30: /listen/trusted_proxies/0: bits beyond the prefix are set; did you mean "
                + "`10.0.0.0/8`?",
            "2:43: /listen/trusted_proxies/1: must be an address or a block, as in `10.0.0.0/8`",
            "2:47: /listen/trusted_proxies/2: must be a string, not a number",
            "2:55: /listen/trusted_proxies/4: the same block twice"),
        .section(
            "limits",
            "\"listen\":{\"limits\":{\"header_bytes\":\"64KiB\",\"header_fields\":1.5,"
                + "\"body\":\"2MB\",\"connections\":0,\"body_timeout\":\"2d\"}}",
            "2:36: /listen/limits/header_bytes: must be a size from 1KiB to 32KiB, as in `\"64KiB\"`",
            "2:60: /listen/limits/header_fields: must be a whole number from 8 to 128",
            "2:71: /listen/limits/body: must be a size from 0B to 64GiB, as in `\"64KiB\"`",
            "2:91: /listen/limits/connections: must be a whole number from 1 to 1000000",
            "2:108: /listen/limits/body_timeout: must be a duration from 100ms to 1h, as in `30s`"),
        .section(
            "request line",
            "\"listen\":{\"limits\":{\"header_bytes\":\"1KiB\",\"request_line\":\"2KiB\"}}",
            "2:58: /listen/limits/request_line: must not be larger than `header_bytes`, 1KiB"),
        .section(
            "certificate", "\"listen\":{\"tls\":{\"certificate\":\"c.pem\"}}",
            "2:32: /listen/tls/certificate: `/etc/agentport/c.pem`: no such file"),
        .section(
            "jwks", "\"listen\":{\"plaintext_jwks\":\"public\"}",
            "2:28: /listen/plaintext_jwks: must be `private` or `off`"),
        .section(
            "admin", "\"admin\":{\"token_file\":\"x\",\"address\":\"10.0.0.1\"}",
            "2:23: /admin/token_file: `/etc/agentport/x`: no such file",
            "2:37: /admin/address: must be an address and a port, as in `127.0.0.1:9901`, or "
                + "`unix:/path`, or `off`"),
        .section(
            "drain", "\"drain\":{\"grace\":\"20s\"}",
            "2:18: /drain/grace: `drain.grace`, 20s, must not be longer than `drain.deadline`, 15s"),
    ]

    @Test(arguments: listeners)
    func listener(_ policy: FaultyPolicy) { policy.check() }

    @Test func whatIsOfNoUseDrawsAWarning() {
        let outcome = load(
            policy: "{\"agentport\":1,\"upstreams\":[{\"name\":\"a\",\"endpoints\":"
                + "[\"http://a\"]},{\"name\":\"b\",\"endpoints\":[\"http://b\"]}],\"filters\":[],"
                + "\"routes\":[{\"path\":\"/\",\"public\":true,\"upstream\":\"a\"}]}",
            ["AGENTPORT_IP_RATE": "1/1s"])
        #expect(outcome.faults == [])
        #expect(
            outcome.warnings == [
                "AGENTPORT_IP_RATE: the chain has no `ip_rate_limit`, so this has no effect",
                "\(FaultyPolicy.file):1:67: /upstreams/1: no route leads to upstream `b`",
            ])
    }
}
