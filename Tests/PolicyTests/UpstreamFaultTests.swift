// SPDX-License-Identifier: Apache-2.0

import Policy
import TestSupport
import Testing

@Suite struct UpstreamFaultTests {
    /// 32 bytes of 0xAB.
    static let pin = "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="

    /// One upstream, whose members begin on the third line.
    private static func upstream(_ name: String, _ members: String, _ lines: String...)
        -> FaultyPolicy
    {
        FaultyPolicy(
            name: name,
            text: "{\"agentport\":1,\n\"upstreams\":[{\"name\":\"a\",\n\(members)}]}", lines: lines)
    }

    /// With one endpoint, and other members on the fourth line.
    private static func rest(_ members: String, _ endpoint: String = "http://a") -> String {
        "\"endpoints\":[\"\(endpoint)\"],\n\(members)"
    }

    static let upstreams: [FaultyPolicy] = [
        .section("none", "\"upstreams\":[]", "2:13: /upstreams: at least one upstream is needed"),
        .section(
            "missing", "\"upstreams\":[{}]", "2:14: /upstreams/0: `name` is missing",
            "2:14: /upstreams/0: `endpoints` is missing"),
        .section(
            "not built",
            "\"upstreams\":[{\"name\":\"a\",\"endpoints\":[\"http://a\"],\"profile\":\"openclaw\","
                + "\"set_headers\":{}}]",
            "2:51: /upstreams/0/profile: `profile` is not built yet in this version",
            "2:72: /upstreams/0/set_headers: `set_headers` is not built yet in this version"),
        upstream(
            "no endpoint", "\"endpoints\":[]",
            "3:13: /upstreams/0/endpoints: at least one endpoint is needed"),
        upstream(
            "one endpoint", "\"endpoints\":\"http://a\"",
            "3:13: /upstreams/0/endpoints: must be an array, not a string"),
        upstream(
            "endpoints",
            "\"endpoints\":[\"http://a\",\"a:1\",5,\"unix:a\",\"https://a/x\",\n"
                + "\"http://A:80\",\"https://a:80\",\"unix:/a\",\"unix:/./a\"]",
            "3:25: /upstreams/0/endpoints/1: it must begin with `http://`, `https://` or `unix:/`",
            "3:31: /upstreams/0/endpoints/2: must be a string, not a number",
            "3:33: /upstreams/0/endpoints/3: `unix:` must be followed by an absolute path of at "
                + "most 107 bytes",
            "3:42: /upstreams/0/endpoints/4: only scheme, host and port are allowed in it, no path",
            "4:1: /upstreams/0/endpoints/5: the same endpoint twice",
            "4:15: /upstreams/0/endpoints/6: the same endpoint twice, with TLS and without",
            "4:40: /upstreams/0/endpoints/8: the same endpoint twice"),
        upstream(
            "typing errors",
            rest(
                "\"ballance\":\"least_request\",\"eject_afer\":5,\n\"helth_check\":{},\"tsl\":{},\n"
                    + "\"health_check\":{\"path\":\"/\",\"intervall\":\"5s\",\"healthy_after\":1},"
                    + "\n"
                    + "\"tls\":{\"cas\":null,\"servername\":null,\"pins\":[],\"pins_sha25\":[]}"),
            "4:1: /upstreams/0/ballance: unknown key `ballance`; did you mean `balance`?",
            "4:28: /upstreams/0/eject_afer: unknown key `eject_afer`; did you mean `eject_after`?",
            "5:1: /upstreams/0/helth_check: unknown key `helth_check`; did you mean "
                + "`health_check`?",
            "5:18: /upstreams/0/tsl: unknown key `tsl`; did you mean `tls`?",
            "6:28: /upstreams/0/health_check/intervall: unknown key `intervall`; did you mean "
                + "`interval`?",
            "6:45: /upstreams/0/health_check/healthy_after: unknown key `healthy_after`; did you "
                + "mean `unhealthy_after`?",
            "7:8: /upstreams/0/tls/cas: unknown key `cas`; did you mean `ca`?",
            "7:19: /upstreams/0/tls/servername: unknown key `servername`; did you mean "
                + "`server_name`?",
            "7:37: /upstreams/0/tls/pins: unknown key `pins`",
            "7:47: /upstreams/0/tls/pins_sha25: unknown key `pins_sha25`; did you mean "
                + "`pins_sha256`?"
        ),
        upstream(
            "kinds",
            rest("\"balance\":1,\"eject_after\":\"5\",\"health_check\":\"/\",\"tls\":null"),
            "4:11: /upstreams/0/balance: must be a string, not a number",
            "4:27: /upstreams/0/eject_after: must be a number, not a string",
            "4:46: /upstreams/0/health_check: must be an object, not a string",
            "4:56: /upstreams/0/tls: must be an object, not null"),
        upstream(
            "balance", rest("\"balance\":\"random\""),
            "4:11: /upstreams/0/balance: must be `least_request` or `round_robin`"),
        upstream(
            "health check", rest("\"health_check\":{\"interval\":5,\"unhealthy_after\":1.5}"),
            "4:16: /upstreams/0/health_check: `path` is missing",
            "4:28: /upstreams/0/health_check/interval: must be a string, not a number",
            "4:48: /upstreams/0/health_check/unhealthy_after: must be a whole number from 1 to "
                + "100"),
        upstream(
            "tls",
            rest(
                "\"tls\":{\"ca\":\"\",\"server_name\":\"a:443\",\"pins_sha256\":[\"x\",7,\n"
                    + "\"\(pin)\",\"\(pin)\"]}", "https://a"),
            "4:13: /upstreams/0/tls/ca: must be a path",
            "4:30: /upstreams/0/tls/server_name: must be a host name or an address, without a port",
            "4:53: /upstreams/0/tls/pins_sha256/0: must be a SHA-256 in base64: 43 digits and `=`",
            "4:57: /upstreams/0/tls/pins_sha256/1: must be a string, not a number",
            "5:48: /upstreams/0/tls/pins_sha256/3: the same pin twice"),
        upstream(
            "tls without an https endpoint", rest("\"tls\":{\"pins_sha256\":[\"\(pin)\"]}"),
            "4:7: /upstreams/0/tls: has no effect: no endpoint begins with `https://`"),
        upstream(
            "tls with an endpoint that cannot be read",
            rest("\"tls\":{\"server_name\":\"a\"}", "htps://a"),
            "3:14: /upstreams/0/endpoints/0: it must begin with `http://`, `https://` or `unix:/`"),
        upstream(
            "ca", rest("\"tls\":{\"ca\":\"gone.pem\"}", "https://a"),
            "4:13: /upstreams/0/tls/ca: `/etc/agentport/gone.pem`: no such file"),
        upstream(
            "admin and listener among several",
            "\"endpoints\":[\"http://a\",\"http://localhost:9901\",\"nothing\","
                + "\"https://127.0.0.1:8443\"]",
            "3:25: /upstreams/0/endpoints/1: the endpoint localhost:9901 is the admin address",
            "3:49: /upstreams/0/endpoints/2: it must begin with `http://`, `https://` or `unix:/`",
            "3:59: /upstreams/0/endpoints/3: the endpoint 127.0.0.1:8443 is the gateway's own "
                + "listener: "
                + "requests would go round in a loop"),
        .section(
            "admin socket",
            "\"admin\":{\"address\":\"unix:/run/a.sock\"},\"upstreams\":[{\"name\":\"a\",\n"
                + "\"endpoints\":[\"unix:/run/b.sock\",\"unix:/run/./a.sock\"]}]",
            "3:33: /upstreams/0/endpoints/1: the endpoint unix:/run/a.sock is the admin address"),
        .section(
            "audiences are judged whatever else is wrong",
            "\"upstreams\":[{\"name\":\"a\",\"endpoints\":[\"http://a\"],\"eject_after\":0},\n"
                + "{\"name\":\"b\",\"endpoints\":[\"b\"]}],\n"
                + "\"routes\":[{\"path\":\"/a\",\"upstream\":\"a\"},{\"path\":\"/b\","
                + "\"upstream\":\"b\"}]",
            "2:65: /upstreams/0/eject_after: must be a whole number from 1 to 1000",
            "3:1: /upstreams/1: upstreams `a` and `b` have one audience `openclaw-prod`, so a "
                + "token for "
                + "one is good at the other: give each its own `audience`, or write "
                + "`\"shared_audience\": true` in both",
            "3:26: /upstreams/1/endpoints/0: it must begin with `http://`, `https://` or `unix:/`"),
        .section(
            "admin", "\"upstreams\":[{\"name\":\"a\",\"endpoints\":[\"http://127.0.0.1:9901\"]}]",
            "2:39: /upstreams/0/endpoints/0: the endpoint 127.0.0.1:9901 is the admin address"),
        .section(
            "one audience",
            "\"upstreams\":[{\"name\":\"a\",\"endpoints\":[\"http://a\"]},{\"name\":\"b\","
                + "\"endpoints\":[\"http://b\"]}],\n\"routes\":[{\"path\":\"/a\","
                + "\"upstream\":\"a\"},"
                + "{\"path\":\"/b\",\"upstream\":\"b\"}]",
            "2:77: /upstreams/1/endpoints/0: upstreams `a` and `b` have one audience "
                + "`openclaw-prod`, so a token for one is good at the other: give each its own "
                + "`audience`, or write `\"shared_audience\": true` in both"),
        .section(
            "no routes for two",
            "\"upstreams\":[{\"name\":\"a\",\"endpoints\":[\"http://a\"],\"audience\":"
                + "\"x\"},{\"name\":\"a\",\"endpoints\":[\"http://b\"]}]",
            "1:1: `routes` is missing: with several upstreams it must say which is whose",
            "2:67: /upstreams/1: the name `a` is that of upstream 0 already"),
    ]

    @Test(arguments: upstreams)
    func upstream(_ policy: FaultyPolicy) { policy.check() }

    @Test func severalUpstreamsAndOneVariable() {
        let text =
            "{\"agentport\":1,\"upstreams\":[{\"name\":\"a\",\"endpoints\":[\"http://a\"],"
            + "\"shared_audience\":true},{\"name\":\"b\",\"endpoints\":[\"http://b\"],"
            + "\"shared_audience\":true},{\"name\":\"c\",\"endpoints\":[\"http://c\"]}],"
            + "\"routes\":[{\"path\":\"/a\",\"upstream\":\"a\"},{\"path\":\"/b\","
            + "\"upstream\":\"b\"},"
            + "{\"path\":\"/c\",\"upstream\":\"c\",\"public\":true}]}"
        // The third shares the audience too, but no token ever goes there.
        #expect(load(policy: text).faults == [])
        #expect(
            load(policy: text, ["AGENTPORT_UPSTREAM": "http://x"]).faults == [
                "AGENTPORT_UPSTREAM: the policy has several upstreams, and this cannot say which"
            ])
    }
}
