// SPDX-License-Identifier: Apache-2.0

/// One of `agents`.
struct AgentKeys: PolicyKeys {
    let name = PolicyKey(required: "name", .name, "What logs, metrics and operators call it.")
    let user = PolicyKey(
        "user", .claim, "What its tokens say in `sub`. Left out, it is the agent's name.")
    let scopes = PolicyKey(
        "scopes", .list(of: .scope, max: Bounds.scopesMax, isUnique: true),
        "What it may do, as its tokens say it.")
    let keyHashes = PolicyKey(
        "api_key_sha256", .list(of: .keyHash, max: Bounds.keysMax, isUnique: true),
        "The SHA-256 of each of its keys, as `agentport hash-key` prints it. It may be left out "
            + "where `client_pins_sha256` or `oauth` names the agent.")
    let clientPins = PolicyKey(
        "client_pins_sha256", .list(of: .pin, max: Bounds.pinsMax, isUnique: true),
        "Keys of its certificates. No other agent may have one of them.")
    let oauth = PolicyKey(
        "oauth",
        .list(of: .object(OAuthBindingKeys()), max: Bounds.oauthBindingsMax, isUnique: true),
        "Access tokens that stand for its key.")
    let totp = PolicyKey(
        required: "totp", .object(AgentTOTPKeys()), "Its second factor: the seed of its codes.")
    let rate = PolicyKey("rate", .object(RateKeys()), "How many requests it may make.")

    var all: [any AnyPolicyKey] {
        [name, user, scopes, keyHashes, clientPins, oauth, totp, rate]
    }

    /// An agent is known by something.
    var rules: ValueSchema {
        .anyOf(
            [keyHashes.name, clientPins.name, oauth.name].map { name in
                .required(name).and(.member(name, .items(atLeast: 1)))
            })
    }
}

struct AgentTOTPKeys: PolicyKeys {
    let seedFile = PolicyKey(
        required: "seed_file", .path, "The file with the seed, in base32. No two agents have one.")
    let algorithm = PolicyKey(
        "algorithm", PolicyForm<Configuration.TOTPAlgorithm>.choice, "The hash of its codes.")
    let digits = PolicyKey("digits", .integer(Bounds.digits), "The length of its codes.")
    let period = PolicyKey(
        "period", .wholeSeconds(Bounds.period), "How long a code is the present one.")

    var all: [any AnyPolicyKey] { [seedFile, algorithm, digits, period] }
}

struct RateKeys: PolicyKeys {
    let requests = PolicyKey(
        required: "requests", .integer(1...Rate.requestsMax), "How many requests may come…")
    let per = PolicyKey(required: "per", .duration(Rate.periodRange), "…in this time.")
    let burst = PolicyKey(
        "burst", .integer(1...(2 * Rate.requestsMax)),
        "How many may come at once after a quiet time. Left out, it is twice the requests.")

    var all: [any AnyPolicyKey] { [requests, per, burst] }
}

/// One of `oauth`.
struct OAuthKeys: PolicyKeys {
    let issuer = PolicyKey(required: "issuer", .claim, "What its tokens say in `iss`.")
    let audience = PolicyKey(
        required: "audience", .claim, "What its tokens have to say in `aud`, perhaps among others.")
    let keySetURL = PolicyKey(
        required: "jwks_url", .keySet, "Where the keys are that its tokens are verified with.")
    let agentClaim = PolicyKey(
        "agent_claim", .claim, "The claim that tells the agent; `client_id` unless given.")
    let userClaim = PolicyKey(
        "user_claim", .claim, "The claim that tells the user; `sub` unless given.")

    var all: [any AnyPolicyKey] { [issuer, audience, keySetURL, agentClaim, userClaim] }
}

/// One of an agent's `oauth`.
struct OAuthBindingKeys: PolicyKeys {
    let issuer = PolicyKey(required: "issuer", .reference, "An issuer of the section `oauth`.")
    let client = PolicyKey(
        "client", .claim,
        "What the claim that tells the agent has to say. Left out, it may say anything.")

    var all: [any AnyPolicyKey] { [issuer, client] }
}
