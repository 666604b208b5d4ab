// SPDX-License-Identifier: Apache-2.0

import Policy
import Testing

/// Agents, the chain and routes.
@Suite struct PolicyRuleFaultTests {
    static func agent(_ name: String, seed: String, key: String = "ab", rest: String = "") -> String
    {
        let hash = String(repeating: key, count: 32)
        return "{\"name\":\"\(name)\",\"api_key_sha256\":[\"\(hash)\"],"
            + "\"totp\":{\"seed_file\":\"/run/secrets/\(seed)\"}\(rest)}"
    }

    static let agents: [FaultyPolicy] = [
        .section(
            "no key", "\"agents\":[{\"name\":\"a\",\"totp\":{\"seed_file\":\"/run/secrets/a\"}}]",
            "2:11: /agents/0: the agent has no key, pin or OAuth binding: `api_key_sha256` is missing"
        ),
        .section(
            "empty keys",
            "\"agents\":[{\"name\":\"-a\",\"api_key_sha256\":[],\"scopes\":[\"a b\"]}]",
            "2:11: /agents/0: `totp` is missing",
            "2:19: /agents/0/name: must be 1 to 64 letters, digits, `.`, `_`, `@` and `-`, the "
                + "first a letter or a digit",
            "2:41: /agents/0/api_key_sha256: the agent has no key, pin or OAuth binding",
            "2:54: /agents/0/scopes/0: must be 1 to 128 characters of visible ASCII without `\"` "
                + "and `\\`"),
        .section(
            "bad hash",
            "\"agents\":[{\"name\":\"a\",\"totp\":{\"seed_file\":\"/run/secrets/a\"},"
                + "\"api_key_sha256\":[\"abc\"]}]",
            "2:79: /agents/0/api_key_sha256/0: must be the 64 hexadecimal digits that `agentport "
                + "hash-key` prints"),
        .section(
            "no issuer", "\"agents\":[" + agent("a", seed: "a", rest: ",\"oauth\":[{}]") + "]",
            "2:156: /agents/0/oauth/0: `issuer` is missing"),
        .section(
            "one seed",
            "\"agents\":[" + agent("a", seed: "a") + ",\n"
                + agent("b", seed: "./a", key: "cd") + "]",
            "3:119: /agents/1/totp/seed_file: this seed is agent `a`'s already: give each agent "
                + "its own"),
        .section(
            "one name",
            "\"agents\":[" + agent("a", seed: "a") + ",\n"
                + agent("a", seed: "b", key: "cd") + "]",
            "3:1: /agents/1: the name `a` is another agent's already"),
        .section(
            "one user",
            "\"agents\":[" + agent("a", seed: "a") + ",\n"
                + agent("b", seed: "b", key: "cd", rest: ",\"user\":\"a\"") + "]",
            "3:1: /agents/1: agents `a` and `b` have one upstream user `a`: give each its own "
                + "`user`"),
        .section(
            "one key", "\"agents\":[" + agent("a", seed: "a") + ",\n" + agent("b", seed: "b") + "]",
            "3:31: /agents/1/api_key_sha256/0: the same key is agent `a`'s already"),
        .section(
            "no seed file", "\"agents\":[" + agent("a", seed: "gone") + "]",
            "2:129: /agents/0/totp/seed_file: `/run/secrets/gone`: no such file"),
        .section(
            "totp",
            "\"agents\":[{\"name\":\"a\",\"api_key_sha256\":[\"\(PolicyFileTests.hash)\"],\n"
                + "\"totp\":{\"seed_file\":\"/run/secrets/a\",\"algorithm\":\"MD5\",\"digits\":9,"
                + "\"period\":\"1500ms\"},\n\"rate\":{\"requests\":0},\"user\":\"ops \"}]",
            "3:50: /agents/0/totp/algorithm: must be `SHA1` or `SHA256` or `SHA512`",
            "3:65: /agents/0/totp/digits: must be a whole number from 6 to 8",
            "3:76: /agents/0/totp/period: must be whole seconds",
            "4:8: /agents/0/rate: `per` is missing",
            "4:20: /agents/0/rate/requests: must be a whole number from 1 to 10000000",
            "4:30: /agents/0/user: must be 1 to 256 characters of ASCII without controls or "
                + "surrounding space"),
        .section(
            "rules",
            "\"totp\":{\"rotation_grace\":\"25h\",\"skew\":9},\n"
                + "\"sessions\":{\"lifetime\":\"0s\",\"bind\":[\"agent\",\"address\"]},\n"
                + "\"issuer\":{\"algorithm\":\"HS256\",\"lifetime\":\"90m\",\"rotate_every\":\"5m\"}",
            "2:26: /totp/rotation_grace: must be a duration from 0s to 24h, as in `30s`",
            "2:39: /totp/skew: must be a whole number from 0 to 4",
            "3:24: /sessions/lifetime: must be a duration from 1s to 24h, as in `30s`",
            "3:45: /sessions/bind/1: must be `agent` or `client_address`",
            "4:23: /issuer/algorithm: must be `ES256` or `EdDSA` or `RS256`",
            "4:42: /issuer/lifetime: must be a duration from 1s to 1h, as in `30s`",
            "4:63: /issuer/rotate_every: must be a duration from 10m to 8784h, as in `30s`"),
    ]

    @Test(arguments: agents)
    func agent(_ policy: FaultyPolicy) { policy.check() }

    private static func chain(_ name: String, _ filters: [String], _ lines: String...)
        -> FaultyPolicy
    {
        let items = filters.map { "{\"use\":\"\($0)\"}" }.joined(separator: ",\n")
        return FaultyPolicy(
            name: name, text: "{\"agentport\":1,\"filters\":[\n\(items)]}", lines: lines)
    }

    static let chains: [FaultyPolicy] = [
        chain(
            "empty", [],
            "1:26: /filters: `identity` is missing: every route that is not public passes "
                + "`identity`, `totp` and `jwt`",
            "1:26: /filters: `totp` is missing: every route that is not public passes "
                + "`identity`, `totp` and `jwt`",
            "1:26: /filters: `jwt` is missing: every route that is not public passes "
                + "`identity`, `totp` and `jwt`"),
        chain(
            "no totp", ["identity", "jwt"],
            "1:26: /filters: `totp` is missing: every route that is not public passes "
                + "`identity`, `totp` and `jwt`"),
        chain(
            "totp first", ["totp", "identity", "jwt"],
            "2:1: /filters/0: `totp` must come after `identity`"),
        chain(
            "jwt not last", ["identity", "totp", "jwt", "agent_rate_limit"],
            "4:1: /filters/2: `jwt` must be the last filter"),
        chain(
            "rate after identity", ["identity", "ip_rate_limit", "totp", "jwt"],
            "2:1: /filters/0: `identity` must come after `ip_rate_limit`"),
        chain(
            "agent rate first", ["agent_rate_limit", "identity", "totp", "jwt"],
            "2:1: /filters/0: `agent_rate_limit` must come after `identity`"),
        chain(
            "twice", ["identity", "totp", "totp", "jwt"],
            "4:1: /filters/2: `totp` stands in the chain already"),
        chain(
            "not built", ["client_pins", "identity", "totp", "inspect", "jwt"],
            "5:8: /filters/3/use: `inspect` is not built yet in this version"),
        chain(
            "unknown", ["identity", "ttop", "jwt"],
            "3:8: /filters/1/use: unknown filter `ttop`; did you mean `totp`?"),
        .section(
            "arguments",
            "\"filters\":[{\"use\":\"totp\",\"mode\":\"shadow\"},5,{},"
                + "{\"use\":\"ip_rate_limit\",\"mode\":\"dark\"}]",
            "2:26: /filters/0/mode: unknown key `mode`",
            "2:43: /filters/1: must be an object, not a number",
            "2:45: /filters/2: `use` is missing",
            "2:78: /filters/3/mode: must be `enforce` or `shadow` or `off`"),
    ]

    @Test(arguments: chains)
    func chain(_ policy: FaultyPolicy) { policy.check() }

    static let routes: [FaultyPolicy] = [
        .section(
            "none", "\"routes\":[]",
            "2:10: /routes: no request could match: leave `routes` out for one route `/`"),
        .section(
            "not built", "\"routes\":[{\"path\":\"/\",\"calls\":\"mcp\",\"websocket\":{}}]",
            "2:23: /routes/0/calls: `calls` is not built yet in this version",
            "2:37: /routes/0/websocket: `websocket` is not built yet in this version"),
        .section(
            "duplicate", "\"routes\":[{\"path\":\"/a\",\"methods\":[\"GET\"]},{\"path\":\"/a\"}]",
            "2:43: /routes/1: this route can never match: its path is that of /routes/0"),
        .section(
            "methods",
            "\"routes\":[{\"path\":\"/a\",\"methods\":[\"GET\",\"GET\",\"A B\"]},"
                + "{\"path\":\"/b\",\"methods\":[]}]",
            "2:41: /routes/0/methods/1: the same method twice",
            "2:47: /routes/0/methods/2: must be a method, as in `POST`",
            "2:78: /routes/1/methods: this route can never match: leave `methods` out to allow "
                + "every method"),
        .section(
            "paths",
            "\"routes\":[{\"path\":\"/a//b\"},{\"path\":\"/../a\"},{\"path\":\"/a?b\"},"
                + "{\"path\":\"/a%20b\"},\n{\"path\":\"/.agentport/x\"},{\"path\":\"/.well-known/jwks.json\"}]",
            "2:19: /routes/0/path: this route can never match: requests are normalised, so write "
                + "the path without `//`, `.` and `..`",
            "2:36: /routes/1/path: this route can never match: requests are normalised, so write "
                + "the path without `//`, `.` and `..`",
            "2:53: /routes/2/path: `?` is not allowed in a route's path",
            "2:69: /routes/3/path: `%` is not allowed in a route's path",
            "3:9: /routes/4/path: this route can never match: the gateway answers here itself",
            "3:34: /routes/5/path: this route can never match: the gateway answers here itself"),
        .section(
            "upstream", "\"routes\":[{\"path\":\"/a\",\"upstream\":\"openclow\"}]",
            "2:35: /routes/0/upstream: unknown upstream `openclow`; did you mean `openclaw`?"),
    ]

    @Test(arguments: routes)
    func route(_ policy: FaultyPolicy) { policy.check() }
}
