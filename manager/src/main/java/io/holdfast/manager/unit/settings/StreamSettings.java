package io.holdfast.manager.unit.settings;

import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.value.OpenFile;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.WordReader;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the streams of a unit's processes are made from, beside {@code StandardInput=} and its
 * relatives.
 *
 * @param data the standard input with {@code StandardInput=data}, in Base64
 * @param terminal the terminal; empty: none is named
 * @param files that the main process gets from descriptor 3 on, after those of sockets
 * @param log how its lines are described in the journal
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.exec.html">systemd.exec</a>
 */
public record StreamSettings(
        String data, Terminal terminal, List<OpenFile> files, LogSettings log) {
    /**
     * A terminal.
     *
     * @param named its device; empty: the console
     * @param reset whether its modes are reset before and after the unit
     * @param hangUp whether other processes lose it before and after the unit
     * @param clear whether it is cleared, and a virtual console released ({@code
     *     TTYVTDisallocate=})
     * @param rows 1 to 65535
     * @param columns 1 to 65535
     */
    public record Terminal(
            Optional<String> named,
            boolean reset,
            boolean hangUp,
            boolean clear,
            OptionalInt rows,
            OptionalInt columns) {
        private static final String CONSOLE = "/dev/console";

        /** Returns the path of its device. */
        public String path() {
            return named.orElse(CONSOLE);
        }
    }

    public StreamSettings {
        files = List.copyOf(files);
    }

    /** Returns the data of the standard input, in a new array. */
    public byte[] inputData() {
        return Base64.getDecoder().decode(data);
    }

    /** Reads the settings. */
    static final class Reader implements SectionReader {
        private final ByteArrayOutputStream data = new ByteArrayOutputStream();
        private Optional<String> path = Optional.empty();
        private boolean reset;
        private boolean hangUp;
        private boolean clear;
        private Optional<Integer> rows = Optional.empty();
        private Optional<Integer> columns = Optional.empty();
        private final List<OpenFile> files = new ArrayList<>();
        private final LogSettings.Reader log = new LogSettings.Reader();

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "StandardInputText" -> data(a, text -> WordReader.unescape(text + "\n"));
                case "StandardInputData" -> data(a, Reader::decoded);
                case "TTYPath" -> path = a.path(path);
                case "TTYReset" -> reset = a.bool(reset);
                case "TTYVHangup" -> hangUp = a.bool(hangUp);
                case "TTYVTDisallocate" -> clear = a.bool(clear);
                case "TTYRows" -> rows = size(a, rows);
                case "TTYColumns" -> columns = size(a, columns);
                case "UtmpIdentifier" -> a.notActedOn();
                case "UtmpMode" -> {
                    UtmpMode _ = a.word(UtmpMode.INIT, UtmpMode.values());
                    a.notActedOn();
                }
                case "OpenFile" -> {
                    if (a.isEmpty()) {
                        files.clear();
                    } else {
                        a.optional(Optional.<OpenFile>empty(), OpenFile::parse)
                                .ifPresent(files::add);
                    }
                }
                default -> {
                    return log.assign(a);
                }
            }
            return true;
        }

        /** The values of {@code UtmpMode=}. */
        private enum UtmpMode {
            INIT,
            LOGIN,
            USER
        }

        private interface Bytes {
            byte[] of(String text);
        }

        private void data(Assignment a, Bytes bytes) {
            if (a.isEmpty()) {
                data.reset();
            } else if (a.key().equals("StandardInputData")) { // no specifiers
                try {
                    data.writeBytes(bytes.of(a.value()));
                } catch (IllegalArgumentException e) {
                    a.ignored(String.valueOf(e.getMessage()));
                }
            } else {
                a.optional(Optional.<byte[]>empty(), bytes::of).ifPresent(data::writeBytes);
            }
        }

        private static byte[] decoded(String text) {
            try {
                return Base64.getDecoder().decode(text.replaceAll("\\s", ""));
            } catch (IllegalArgumentException e) {
                throw Scalars.bad("data in Base64", text);
            }
        }

        private static Optional<Integer> size(Assignment a, Optional<Integer> before) {
            return a.optional(before, text -> Scalars.parseInt(text, 1, 0xffff));
        }

        boolean hasData() {
            return data.size() > 0;
        }

        StreamSettings build() {
            return SharedParts.of(
                    new StreamSettings(
                            Base64.getEncoder().encodeToString(data.toByteArray()),
                            new Terminal(
                                    path, reset, hangUp, clear, optional(rows), optional(columns)),
                            files,
                            log.build()));
        }

        private static OptionalInt optional(Optional<Integer> value) {
            return value.map(OptionalInt::of).orElse(OptionalInt.empty());
        }
    }
}
