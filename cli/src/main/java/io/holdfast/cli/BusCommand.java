package io.holdfast.cli;

import io.holdfast.bus.Bus;
import io.holdfast.bus.BusOptions;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.linux.Signal;
import io.holdfast.dbus.BusAddress;
import io.holdfast.dbus.BusAddressException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** Runs a message bus in the foreground. */
final class BusCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("Run a D-Bus message bus.")
                .description(
                        "%nStays in the foreground until SIGINT or SIGTERM. Each client is held by pidfd from the"
                                + " moment it connects.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast bus --address unix:path=/run/user/1000/bus",
                        "  holdfast bus --address unix:tmpdir=/tmp --print-address");
        return spec.addOption(
                        OptionSpec.builder("--address")
                                .paramLabel("ADDRESS")
                                .type(List.class)
                                .auxiliaryTypes(String.class)
                                .description("Where to listen; may be given several times.")
                                .build())
                .addOption(
                        Command.flag(
                                "--print-address",
                                "Print the addresses for clients, a line each, once it listens."));
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        List<BusAddress> addresses = new ArrayList<>();
        for (String text : line.<List<String>>matchedOptionValue("--address", List.of())) {
            try {
                addresses.addAll(BusAddress.parseList(text));
            } catch (BusAddressException e) {
                throw new CommandException(String.valueOf(e.getMessage()), e);
            }
        }
        try (EventLoop signals = EventLoop.open();
                Bus bus = Bus.open(BusOptions.of(BusConfig::session).withAddresses(addresses));
                AutoCloseable _ = signals.onSignal(Signal.TERM, signals::stop);
                AutoCloseable _ = signals.onSignal(Signal.INT, signals::stop)) {
            if (line.hasMatchedOption("--print-address")) {
                bus.addresses().forEach(address -> output.line(address.toString()));
            }
            signals.run();
            return ExitCode.OK;
        } catch (BusAddressException | ErrnoException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }
}
