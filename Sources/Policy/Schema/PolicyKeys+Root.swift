// SPDX-License-Identifier: Apache-2.0

/// The policy as a whole.
struct RootKeys: PolicyKeys {
    let version = PolicyKey(
        required: "agentport", .version, "The version of this format. There is no other than 1.")
    let listen = PolicyKey(
        "listen", .object(ListenKeys()), "Where clients connect, and what is asked of them there.")
    let admin = PolicyKey(
        "admin", .object(AdminKeys()), "The listener for operators: health, metrics and calls.")
    let upstreams = PolicyKey(
        "upstreams",
        .list(
            of: .object(UpstreamKeys()), max: Bounds.upstreamsMax,
            lack: "at least one upstream is needed"),
        "What the gateway stands before. Left out, it is one named `openclaw` at "
            + "http://127.0.0.1:8080.")
    let issuer = PolicyKey(
        "issuer", .object(IssuerKeys()), "The tokens that upstreams get, and who signs them.")
    let oauth = PolicyKey(
        "oauth", .list(of: .object(OAuthKeys()), max: Bounds.oauthIssuersMax),
        "Whose access tokens may stand for an agent's key.")
    let agents = PolicyKey(
        "agents", .list(of: .object(AgentKeys()), max: Bounds.agentsMax),
        "Who may come in. Left out, there is nobody, and only public routes can be used.")
    let totp = PolicyKey("totp", .object(TOTPKeys()), "The rules for every agent's codes.")
    let sessions = PolicyKey(
        "sessions", .object(SessionKeys()), "What a code that was right is good for besides.")
    let filters = PolicyKey(
        "filters", .filters,
        "The chain that requests run through, in this order. Left out, it is all filters there "
            + "are, or `tls_inspector` alone where every route is public.")
    let routes = PolicyKey(
        "routes",
        .list(
            of: .object(RouteKeys()), max: Bounds.routesMax,
            lack: "no request could match: leave `routes` out for one route `/`"),
        "Which path leads where. The longest match wins. Left out, it is one route `/`.")
    let drain = PolicyKey("drain", .object(DrainKeys()), "How the gateway ends.")

    var all: [any AnyPolicyKey] {
        [
            version, listen, admin, upstreams, issuer, oauth, agents, totp, sessions, filters,
            routes, drain,
        ]
    }

    let notBuilt = ["people", "tools", "tools_default"]

    /// With several upstreams each route must say which is its own.
    var rules: ValueSchema {
        .implication(
            .required("upstreams").and(
                .member("upstreams", .items(atLeast: 2))),
            .required("routes").and(
                .member("routes", .items(.required(RouteKeys().upstream.name)))))
    }
}

struct AdminKeys: PolicyKeys {
    let address = PolicyKey("address", .admin, "Where it listens.")
    let tokenFile = PolicyKey(
        "token_file", .path,
        "The file with the token that calls need. Left out, it is the secret `admin_token`, or one "
            + "that is made at the first start and kept in the state directory.")

    var all: [any AnyPolicyKey] { [address, tokenFile] }
}

struct IssuerKeys: PolicyKeys {
    let name = PolicyKey("name", .claim, "What tokens say in `iss`.")
    let audience = PolicyKey(
        "audience", .claim, "What tokens say in `aud` where the upstream has no audience.")
    let algorithm = PolicyKey(
        "algorithm", PolicyForm<Configuration.IssuerAlgorithm>.choice,
        "What tokens are signed with.")
    let lifetime = PolicyKey(
        "lifetime", .wholeSeconds(Bounds.tokenLifetime), "How long a token is good.")
    let reuse = PolicyKey(
        "reuse", .bool, "Whether one token may serve several requests of an agent.")
    let legacyHeader = PolicyKey(
        "legacy_header", .bool, "Whether upstreams get the token in the older header, too.")
    let rotateEvery = PolicyKey(
        "rotate_every", .duration(Bounds.rotateEvery),
        "How often the signing key changes. Left out, only when an operator asks for it.")

    var all: [any AnyPolicyKey] {
        [name, audience, algorithm, lifetime, reuse, legacyHeader, rotateEvery]
    }
}

struct TOTPKeys: PolicyKeys {
    let skew = PolicyKey(
        "skew", .integer(Bounds.skew), "How many steps before and after the present one count.")
    let oneTime = PolicyKey("one_time", .bool, "Whether a code is good only once.")
    let maxFailures = PolicyKey(
        "max_failures", .integer(Bounds.maxFailures),
        "Wrong codes in a row after which an agent is locked out from that address.")
    let lockout = PolicyKey(
        "lockout", .duration(Bounds.lockout), "How long the first lock-out lasts.")
    let disableAfter = PolicyKey(
        "disable_after", .integer(Bounds.disableAfter),
        "Wrong codes in a row, from wherever, after which an agent is disabled.")
    let rotationGrace = PolicyKey(
        "rotation_grace", .duration(Bounds.rotationGrace),
        "How long a seed goes on after another has taken its place.")

    var all: [any AnyPolicyKey] {
        [skew, oneTime, maxFailures, lockout, disableAfter, rotationGrace]
    }
}

struct SessionKeys: PolicyKeys {
    let enabled = PolicyKey("enabled", .bool, "Whether a right code opens a session.")
    let lifetime = PolicyKey(
        "lifetime", .duration(Bounds.sessionLifetime), "How long a session is good.")
    let bind = PolicyKey(
        "bind",
        .list(
            of: PolicyForm<SessionBinding>.choice, max: SessionBinding.allCases.count,
            isUnique: true),
        "What a session is bound to. It is bound to its agent whether this says so or not.")

    var all: [any AnyPolicyKey] { [enabled, lifetime, bind] }
}

enum SessionBinding: String, CaseIterable {
    case agent
    case clientAddress = "client_address"
}

struct DrainKeys: PolicyKeys {
    let grace = PolicyKey(
        "grace", .duration(Bounds.drainGrace), "How long listeners go on accepting.")
    let deadline = PolicyKey(
        "deadline", .duration(Bounds.drainDeadline),
        "When the process ends at the latest, counted from the signal.")

    var all: [any AnyPolicyKey] { [grace, deadline] }
}
