// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Policy
import Reactor

/// What the four commands of `totp` do.
enum TOTPCommands {
    private static let ownerOnly: UInt32 = 0o600

    static func new(_ arguments: Arguments) throws(CommandFailure) -> Int32 {
        let seed: TOTPSeed
        do {
            seed = try .generate(parameters: .standard)
        } catch {
            throw .failed(error.description)
        }
        guard let path = arguments["--seed-file"] else { return Console.show(seed.base32 + "\n") }
        do {
            try Files.create(path, with: Array((seed.base32 + "\n").utf8).span, mode: ownerOnly)
        } catch {
            throw .failed(
                error.kind == .exists
                    ? "\(path): there is a file already, and it may be somebody's seed"
                    : "\(path): \(error.reason)")
        }
        return 0
    }

    static func code(_ arguments: Arguments) throws(CommandFailure) -> Int32 {
        let seed = try seed(arguments)
        let step = seed.parameters.step(atSeconds: Instant.read().wallSeconds)
        do {
            return Console.show(try seed.code(step: step) + "\n")
        } catch {
            throw .failed(error.description)
        }
    }

    static func uri(_ arguments: Arguments) throws(CommandFailure) -> Int32 {
        let seed = try seed(arguments)
        let uri = seed.uri(
            issuer: arguments["--issuer"] ?? "AgentPort",
            account: arguments["--account"] ?? "default")
        let status = Console.show(uri + "\n")
        if status == 0, Terminal.isOutput {
            // Where there is no such program, the URI has to do.
            _ = Subprocess.run(["qrencode", "-t", "ANSIUTF8"], input: Array(uri.utf8).span)
        }
        return status
    }

    static func verify(_ arguments: Arguments) throws(CommandFailure) -> Int32 {
        guard let code = arguments.operands.first else { throw .usage("the code is missing") }
        let seed = try seed(arguments)
        let now = seed.parameters.step(atSeconds: Instant.read().wallSeconds)
        do {
            var checker = try TOTPChecker(seeds: [seed])
            let skew = Configuration.TOTPRules().skew
            guard
                let step = checker.match(
                    seed: 0, code: Array(code.utf8).span, step: now, skew: skew)
            else {
                _ = Console.show("invalid\n")
                return 1
            }
            return Console.show("valid: \(distance(of: step, from: now))\n")
        } catch {
            throw .failed(error.description)
        }
    }

    private static func distance(of step: UInt64, from now: UInt64) -> String {
        let count = step > now ? step - now : now - step
        guard count > 0 else { return "the present step" }
        return "\(count) \(count == 1 ? "step" : "steps") \(step > now ? "ahead" : "behind")"
    }

    // MARK: The seed

    private static func seed(_ arguments: Arguments) throws(CommandFailure) -> TOTPSeed {
        let parameters = try parameters(arguments)
        let path = arguments["--seed-file"]
        guard path != nil || !Terminal.isInput else {
            throw .usage("`--seed-file` is missing, and nothing is piped into standard input")
        }
        let source = path ?? "standard input"
        let text: SecretBytes
        do {
            text = try path.map(SecretFile.read) ?? SecretFile.readStandardInput()
        } catch {
            throw .failed("\(source): \(error)")
        }
        do {
            return try TOTPSeed(base32: text.span, parameters: parameters)
        } catch {
            throw .failed("\(source): \(error)")
        }
    }

    private static func parameters(_ arguments: Arguments) throws(CommandFailure) -> TOTPParameters
    {
        let digits = try arguments.integer("--digits", in: 6...8)
        let period = try arguments.integer(
            "--period", in: 1...Int(clamping: TOTPParameters.periodSecondsMax))
        var algorithm = Configuration.TOTPAlgorithm.sha1
        if let name = arguments["--algorithm"] {
            guard let known = Configuration.TOTPAlgorithm(rawValue: name.uppercased()) else {
                throw .usage("`--algorithm` must be SHA1, SHA256 or SHA512")
            }
            algorithm = known
        }
        do {
            return try TOTPParameters(
                algorithm: HMACAlgorithm(algorithm), digits: digits ?? 6,
                periodSeconds: UInt64(period ?? 30))
        } catch {
            throw .usage(error.description)
        }
    }
}
