// SPDX-License-Identifier: Apache-2.0

extension Command {
    static let serve = Command(
        words: ["serve"],
        summary: "runs the gateway (the default command)",
        flags: Flag.settings,
        notes: """
            secrets, each a file in AGENTPORT_SECRETS_DIR:
              tls_cert, tls_key  the certificate with its chain, and its key, in PEM
              totp_seed          without a policy: the agent's seed, in base32
              api_key            without a policy: the agent's key; made at first start if missing
              signing_key        the key that signs tokens, in PEM; made at first start if missing
              admin_token        lets admin calls in; made at first start if missing
              state_key          seals what is kept in the state directory; made there if missing

            SIGTERM and SIGINT drain and exit 0; a second one exits at once. SIGHUP reads policy,
            certificates and secrets anew, as replacing their files does.

            example:
              AGENTPORT_UPSTREAM=http://127.0.0.1:8080 agentport serve --secrets-dir ./secrets
            """
    ) { arguments throws(CommandFailure) in
        runServe(flags: arguments.settings)
    }
}
