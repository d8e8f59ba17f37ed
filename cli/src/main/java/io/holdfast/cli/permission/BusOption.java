package io.holdfast.cli.permission;

import io.holdfast.cli.command.Command;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import java.util.List;
import picocli.CommandLine.ParseResult;

/** The option {@code --bus} of commands that use the system bus by default. */
final class BusOption {
    private BusOption() {}

    static List<BusAddress> of(ParseResult line) {
        String given = line.matchedOptionValue("--bus", null);
        try {
            return given == null ? BusAddress.system() : BusAddress.parseList(given);
        } catch (BusAddressException e) {
            throw Command.misuse(line, String.valueOf(e.getMessage()));
        }
    }
}
