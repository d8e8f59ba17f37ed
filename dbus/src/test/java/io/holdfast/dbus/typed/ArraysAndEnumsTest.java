package io.holdfast.dbus.typed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.testkit.PeerPair;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Java arrays, enums and Optional as D-Bus values. */
@SuppressWarnings("try") // exported objects are only kept open
@SameOnEveryKernel
@Timeout(60)
class ArraysAndEnumsTest {
    /** An enum, of which one constant has another name in D-Bus. */
    public enum Mode {
        OFF,
        @DBusName("half-on")
        HALF
    }

    /** A struct with an array of structs. */
    @SuppressWarnings("ArrayRecordComponent")
    public record Row(String[] names, Mode mode, Optional<Long> count, Cell[] cells) {}

    /** A struct. */
    public record Cell(int number) {}

    /** The interface. */
    @DBusName("org.example.Arrays")
    public interface Arrays {
        int[] ints(int[] values);

        @Wire("u")
        long[] unsigned(@Wire("u") long[] values);

        byte[] bytes(byte[] values);

        double[][] matrix(double[][] values);

        boolean[] flags(boolean[] values);

        Row row(Row row);

        Mode mode(Mode mode);

        @Wire("u")
        Mode number(@Wire("u") Mode mode);

        Map<Mode, Optional<Byte>> map(Map<Mode, Optional<Byte>> map);

        @Property
        Optional<String> title();
    }

    private static final class Same implements Arrays {
        @Override
        public int[] ints(int[] values) {
            return values;
        }

        @Override
        public long[] unsigned(long[] values) {
            return values;
        }

        @Override
        public byte[] bytes(byte[] values) {
            return values;
        }

        @Override
        public double[][] matrix(double[][] values) {
            return values;
        }

        @Override
        public boolean[] flags(boolean[] values) {
            return values;
        }

        @Override
        public Row row(Row row) {
            return row;
        }

        @Override
        public Mode mode(Mode mode) {
            return mode;
        }

        @Override
        public Mode number(Mode mode) {
            return mode;
        }

        @Override
        public Map<Mode, Optional<Byte>> map(Map<Mode, Optional<Byte>> map) {
            return map;
        }

        @Override
        public Optional<String> title() {
            return Optional.of("t");
        }
    }

    @Test
    void theyGoThereAndBack() throws Exception {
        try (PeerPair pair = PeerPair.connect();
                Export _ = Export.of(pair.server(), "/a", Arrays.class, new Same())) {
            Arrays remote = Proxy.of(pair.client().object("/a"), Arrays.class);
            assertThat(remote.ints(new int[] {1, -2})).containsExactly(1, -2);
            assertThat(remote.ints(new int[0])).isEmpty();
            assertThat(remote.unsigned(new long[] {0xffff_ffffL})).containsExactly(0xffff_ffffL);
            assertThat(remote.bytes(new byte[] {-1, 2})).containsExactly(-1, 2);
            assertThat(remote.matrix(new double[][] {{1, 2}, {}, {3}}))
                    .isDeepEqualTo(new double[][] {{1, 2}, {}, {3}});
            assertThat(remote.flags(new boolean[] {true, false})).containsExactly(true, false);
            Row row =
                    remote.row(
                            new Row(
                                    new String[] {"a", "b"},
                                    Mode.HALF,
                                    Optional.of(3L),
                                    new Cell[] {new Cell(1), new Cell(2)}));
            assertThat(row.names()).containsExactly("a", "b");
            assertThat(row.mode()).isEqualTo(Mode.HALF);
            assertThat(row.count()).contains(3L);
            assertThat(row.cells()).containsExactly(new Cell(1), new Cell(2));
            assertThat(remote.mode(Mode.OFF)).isEqualTo(Mode.OFF);
            assertThat(remote.number(Mode.HALF)).isEqualTo(Mode.HALF);
            Map<Mode, Optional<Byte>> map =
                    Map.of(Mode.OFF, Optional.empty(), Mode.HALF, Optional.of((byte) 7));
            assertThat(remote.map(map)).isEqualTo(map);
            assertThat(remote.title()).contains("t");
            assertThat(pair.client().object("/a").get("org.example.Arrays", "Title"))
                    .isEqualTo(List.of("t"));
        }
    }

    @Test
    void aReceivedValueThatIsNoneIsRefused() throws Exception {
        BusInterface other =
                BusInterface.named("org.example.Arrays")
                        .method("Mode", "s", "s", _ -> List.of("HALF"))
                        .method("Number", "u", "u", _ -> List.of(2L))
                        .method(
                                "Map",
                                "a{say}",
                                "a{say}",
                                _ -> List.of(Map.of("OFF", new byte[] {1, 2})))
                        .build();
        try (PeerPair pair = PeerPair.connect();
                ExportedObject _ = pair.server().export("/a", other)) {
            Arrays remote = Proxy.of(pair.client().object("/a"), Arrays.class);
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> remote.mode(Mode.OFF))
                    .withMessageContaining("is \"HALF\", which is none of [OFF, half-on]");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> remote.number(Mode.OFF))
                    .withMessageContaining("is 2, and Mode has 0 to 1");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> remote.map(Map.of()))
                    .withMessageContaining("has 2 elements, and an Optional has at most one");
        }
    }

    @Test
    @SuppressWarnings("NullAway") // nulls that are refused
    void aSentValueThatIsNoneIsRefused() throws Exception {
        try (PeerPair pair = PeerPair.connect();
                Export _ = Export.of(pair.server(), "/a", Arrays.class, new Same())) {
            Arrays remote = Proxy.of(pair.client().object("/a"), Arrays.class);
            assertThatExceptionOfType(NullPointerException.class)
                    .isThrownBy(() -> remote.ints(null))
                    .withMessageContaining("Arrays.ints");
            assertThatExceptionOfType(NullPointerException.class)
                    .isThrownBy(() ->
                            remote.row(
                                    new Row(
                                            new String[] {"a", null},
                                            Mode.OFF,
                                            Optional.empty(),
                                            new Cell[0])))
                    .withMessageContaining("component names, element 1 is null");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> remote.unsigned(new long[] {-1}))
                    .withMessageContaining("element 0 is -1, and the type u has 0 to 4294967295");
        }
    }

    /** A generic array. */
    public interface Generic {
        void set(List<String>[] lists);
    }

    @Test
    void anArrayOfListsHasNoType() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TypedInterface.of(Generic.class))
                .withMessageContaining("has no D-Bus type: use a List");
    }
}
