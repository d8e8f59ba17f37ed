package io.holdfast.cli.permission;

import io.holdfast.authority.client.Authority;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ReplyLimits;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.varlink.VarlinkAddress;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.ServiceLostException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import picocli.CommandLine.ParseResult;

/** A Varlink call to a Holdfast authority, of a method that polkit's interface does not have. */
final class AuthorityCall {
    private static final String OPTION = "--authority";

    private AuthorityCall() {}

    static void addOption(Grammar grammar) {
        grammar.option(
                OPTION + " ADDRESS",
                "The Varlink address of the authority (default: "
                        + Authority.ADDRESS_VARIABLE
                        + ", or "
                        + Authority.SYSTEM_SOCKET
                        + ").");
    }

    static JsonObject call(ParseResult line, String method, JsonObject parameters) {
        String address = line.matchedOptionValue(OPTION, Authority.varlinkAddress());
        try (VarlinkClient authority =
                VarlinkClient.connect(VarlinkAddress.parse(address), ReplyLimits.varlink())) {
            return authority.call(Authority.VARLINK_INTERFACE + "." + method, parameters);
        } catch (VarlinkException e) {
            throw new CommandException(
                    e.parameters().optionalString("reason").orElse(e.error()), e);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT && e.errno() != Errno.ECONNREFUSED) {
                throw new CommandException("authority: " + e.getMessage(), e);
            }
            throw new CommandException(
                    "no authority is running at "
                            + address
                            + ": "
                            + e.getMessage()
                            + "; start one with: holdfast up",
                    e);
        } catch (ServiceLostException e) {
            throw new CommandException(address + ": " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw Command.misuse(line, address + ": " + e.getMessage());
        }
    }
}
