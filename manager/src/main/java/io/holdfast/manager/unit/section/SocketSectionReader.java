package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.section.SocketSection.Listen;
import io.holdfast.manager.unit.section.SocketSection.Owner;
import io.holdfast.manager.unit.section.UnitSection.StartLimit;
import io.holdfast.manager.unit.settings.ExecSettingsReader;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.unit.value.WordReader;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Reads {@link SocketSection}, with the defaults that depend on other directives. */
final class SocketSectionReader implements SectionReader {
    private static final int MAX_DESCRIPTOR_NAME = 255;
    private static final TimeSpan LIMIT_INTERVAL = TimeSpan.seconds(2);

    private final List<Listen> listens = new ArrayList<>();
    private Optional<String> user = Optional.empty();
    private Optional<String> group = Optional.empty();
    private int mode = 0666;
    private int directoryMode = 0755;
    private int backlog = Integer.MAX_VALUE;
    private boolean accept;
    private int maxConnections = 64;
    private int maxConnectionsPerSource;
    private Optional<UnitName> service = Optional.empty();
    private Optional<String> descriptorName = Optional.empty();
    private boolean removeOnStop;
    private final List<String> symlinks = new ArrayList<>();
    private boolean passCredentials;
    private boolean passPidfd;
    private Optional<Boolean> ipv6Only = Optional.empty();
    private final Map<SocketOption, String> options = new EnumMap<>(SocketOption.class);
    private TimeSpan triggerInterval = LIMIT_INTERVAL;
    private Optional<Integer> triggerBurst = Optional.empty();
    private TimeSpan pollInterval = LIMIT_INTERVAL;
    private Optional<Integer> pollBurst = Optional.empty();

    @Override
    public boolean assign(Assignment a) {
        switch (a.key()) {
            case "ListenStream" -> listen(a, Listen.Kind.STREAM);
            case "ListenDatagram" -> listen(a, Listen.Kind.DATAGRAM);
            case "ListenSequentialPacket" -> listen(a, Listen.Kind.SEQUENTIAL_PACKET);
            case "ListenFIFO" -> listen(a, Listen.Kind.FIFO);
            case "ListenNetlink" -> listen(a, Listen.Kind.NETLINK);
            case "ListenSpecial" -> listen(a, Listen.Kind.SPECIAL);
            case "ListenMessageQueue" -> listen(a, Listen.Kind.MESSAGE_QUEUE);
            case "ListenUSBFunction" -> listen(a, Listen.Kind.USB_FUNCTION);
            case "SocketUser" -> user = ExecSettingsReader.account(a, user);
            case "SocketGroup" -> group = ExecSettingsReader.account(a, group);
            case "SocketMode" -> mode = a.mode(mode);
            case "DirectoryMode" -> directoryMode = a.mode(directoryMode);
            case "Backlog" ->
                    backlog =
                            a.value(
                                    backlog,
                                    text -> (int) Math.min(number(text), Integer.MAX_VALUE));
            case "Accept" -> accept = a.bool(accept);
            case "MaxConnections" -> maxConnections = count(a, maxConnections);
            case "MaxConnectionsPerSource" ->
                    maxConnectionsPerSource = count(a, maxConnectionsPerSource);
            case "Service" -> service = a.optional(service, SocketSectionReader::service);
            case "FileDescriptorName" ->
                    descriptorName =
                            a.optional(descriptorName, SocketSectionReader::descriptorName);
            case "RemoveOnStop" -> removeOnStop = a.bool(removeOnStop);
            case "Symlinks" -> symlinks(a);
            case "PassCredentials" -> passCredentials = a.bool(passCredentials);
            case "PassPIDFD" -> passPidfd = a.bool(passPidfd);
            case "BindIPv6Only" -> ipv6Only = a.value(ipv6Only, SocketSectionReader::ipv6Only);
            case "TriggerLimitIntervalSec" -> triggerInterval = a.span(triggerInterval);
            case "TriggerLimitBurst" ->
                    triggerBurst = Optional.of(count(a, triggerBurst.orElse(0)));
            case "PollLimitIntervalSec" -> pollInterval = a.span(pollInterval);
            case "PollLimitBurst" -> pollBurst = Optional.of(count(a, pollBurst.orElse(0)));
            default -> {
                return assignOption(a);
            }
        }
        return true;
    }

    private boolean assignOption(Assignment a) {
        SocketOption option = SocketOption.of(a.key());
        if (option == null) {
            return false;
        }
        if (a.isEmpty()) {
            options.remove(option);
        } else {
            a.optional(Optional.<String>empty(), option::parse)
                    .ifPresent(value -> options.put(option, value));
        }
        return true;
    }

    private void listen(Assignment a, Listen.Kind kind) {
        if (!kind.isSupported()) {
            a.notActedOn();
        }
        if (a.isEmpty()) { // as in systemd, this clears addresses of every kind
            listens.clear();
            return;
        }
        a.optional(Optional.<Listen>empty(), text -> Listen.parse(kind, current(a, text)))
                .ifPresent(listens::add);
    }

    /** Replaces the legacy {@code /var/run} by {@code /run}. */
    private static String current(Assignment a, String text) {
        if (!text.startsWith("/var/run/")) {
            return text;
        }
        String path = text.substring("/var".length());
        a.remark("below the legacy folder /var/run; taken as " + path);
        return path;
    }

    private static int count(Assignment a, int before) {
        return a.value(before, text -> Scalars.parseInt(text, 0, Integer.MAX_VALUE));
    }

    private static long number(String text) {
        if (!text.matches("[0-9]{1,10}")) {
            throw Scalars.bad("a number", text);
        }
        return Long.parseLong(text);
    }

    private static UnitName service(String text) {
        UnitName name = UnitName.of(text);
        if (name.type() != UnitType.SERVICE) {
            throw Scalars.bad("the name of a service", text);
        }
        return name;
    }

    private static String descriptorName(String text) {
        boolean good =
                text.length() <= MAX_DESCRIPTOR_NAME
                        && text.chars().allMatch(c -> c >= ' ' && c < 0x7f && c != ':');
        if (!good) {
            throw Scalars.bad(
                    "a name of at most 255 printable ASCII characters without colon", text);
        }
        return text;
    }

    private static Optional<Boolean> ipv6Only(String text) {
        return switch (text) {
            case "default" -> Optional.empty();
            case "both" -> Optional.of(false);
            case "ipv6-only" -> Optional.of(true);
            default -> throw Scalars.bad("one of default, both, ipv6-only", text);
        };
    }

    private void symlinks(Assignment a) {
        if (a.isEmpty()) {
            symlinks.clear();
        }
        a.words(WordReader.Backslash.LITERAL_NEXT, word -> symlinks.add(Scalars.parsePath(word)));
    }

    SocketSection build(UnitName name) {
        UnitName triggered =
                service.orElseGet(() ->
                        UnitName.parse(
                                        (accept ? name.prefix() + "@" : name.stem())
                                                + UnitType.SERVICE.suffix())
                                .orElse(name)); // one character too long: refused below
        return new SocketSection(
                listens,
                new Owner(user, group),
                mode,
                directoryMode,
                backlog,
                accept,
                maxConnections,
                maxConnectionsPerSource,
                triggered,
                descriptorName.orElse(name.text()),
                removeOnStop,
                symlinks,
                passCredentials,
                passPidfd,
                ipv6Only,
                options,
                new StartLimit(triggerInterval, triggerBurst.orElse(accept ? 200 : 20)),
                new StartLimit(pollInterval, pollBurst.orElse(accept ? 150 : 15)));
    }

    /** Refuses combinations that are not valid sockets; systemd refuses these units too. */
    void check(SocketSection socket, Consumer<String> refuse) {
        if (socket.listens().isEmpty()) {
            refuse.accept("the socket has neither ListenStream= nor another Listen…=");
        }
        if (socket.service().type() != UnitType.SERVICE) {
            refuse.accept("its name is too long for a service of the same name");
        }
        if (accept && !socket.listens().stream().allMatch(l -> l.kind().isConnected())) {
            refuse.accept("Accept=yes allows only ListenStream= and ListenSequentialPacket=");
        }
        if (accept && maxConnections == 0) {
            refuse.accept("Accept=yes needs MaxConnections= of at least 1");
        }
        if (accept && service.isPresent()) {
            refuse.accept("Service= is not for Accept=yes, whose services are instances");
        }
        if (!symlinks.isEmpty() && socket.nodes().size() != 1) {
            refuse.accept("Symlinks= needs exactly one path to lead to");
        }
    }
}
