// SPDX-License-Identifier: Apache-2.0

import Reactor

/// What `dev` shows once it runs: what is there, and requests to paste, each with what it shows.
struct DevGuide {
    let folder: DevFolder
    let port: UInt16
    let adminPort: UInt16
    let upstream: String
    let isSample: Bool

    var text: String {
        let note = isSample ? "   (a sample that believes only our signed JWT)" : ""
        let origin = "https://localhost:\(port)"
        let certificate = "--cacert \(folder.certificate)"
        let call = "curl -sS \(certificate) \(origin)/tools/weather"
        let key = "-H 'Authorization: Bearer \(folder.key)'"
        let newCode =
            "$(\(Process.executable) totp code --seed-file \(folder.seed) | tee \(folder.lastCode))"
        let session =
            "$(sed -n 's/^x-agentport-session: //p' \(folder.lastAnswer) | tr -d '\\r')"
        let admin =
            "\(Process.executable) admin status --admin-listen 127.0.0.1:\(adminPort) "
            + "--token-file \(folder.state)/admin_token"
        return """
            agentport dev: a gateway with everything it needs, for as long as this runs

              gateway    \(origin)   (TLS 1.3, certificate \(folder.certificate))
              upstream   \(upstream)\(note)
              metrics    http://127.0.0.1:\(adminPort)/metrics
              admin      \(admin)
              secrets    \(folder.secrets)   (made for this run, removed at its end)

            Paste these into another terminal, one after another:

            # Nobody in particular is refused with 401:
            \(call)

            # A stolen API key alone never runs an agent, 401:
            \(call) \(key)

            # The key and the current one-time code do, 200:
            \(call) \(key) -H "X-AgentPort-TOTP: \(newCode)" -D \(folder.lastAnswer)

            # The same code a second time does not, 401:
            \(call) \(key) -H "X-AgentPort-TOTP: $(cat \(folder.lastCode))"

            # The session that the code has opened stands for it, 200:
            \(call) \(key) -H "X-AgentPort-Session: \(session)"

            # The keys that upstreams verify x-agentport-jwt with are public, 200:
            curl -sS http://localhost:\(port)/.well-known/jwks.json

            Each decision is shown below. Ctrl-C ends it all.


            """
    }
}
