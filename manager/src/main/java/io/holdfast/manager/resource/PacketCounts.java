package io.holdfast.manager.resource;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.SysBpf;
import io.holdfast.core.sys.SysBpf.Hook;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The IP packets that the processes of a cgroup have received and sent. A BPF program of the cgroup
 * counts them in a map, which lives as long as the program: also when the manager is killed. A
 * number is -1 if it is not known.
 *
 * @param receivedBytes of whole packets
 * @param receivedPackets their number
 * @param sentBytes of whole packets
 * @param sentPackets their number
 */
public record PacketCounts(
        long receivedBytes, long receivedPackets, long sentBytes, long sentPackets) {
    /** Nothing is known. */
    public static final PacketCounts UNKNOWN = new PacketCounts(-1, -1, -1, -1);

    /** Where the map has the bytes that were received, and behind them the packets. */
    static final int RECEIVED = 0;

    /** Where it has those that were sent. */
    static final int SENT = 2 * Long.BYTES;

    private static final int NUMBERS = 4;

    private static final String MAP = "holdfast";

    /**
     * Reads the counters of a cgroup, which is lent. They are unknown where bpf(2) is refused, as
     * to ordinary users.
     */
    public static PacketCounts of(Fd cgroup) {
        try (Fd map = find(cgroup)) {
            if (map == null) {
                return UNKNOWN;
            }
            long[] counts = SysBpf.read(map, NUMBERS);
            return new PacketCounts(counts[0], counts[1], counts[2], counts[3]);
        } catch (ErrnoException e) {
            return UNKNOWN;
        }
    }

    /** Returns the map of the program that counts, or else a new one. The caller owns it. */
    static Fd map(Fd cgroup) {
        Fd found = find(cgroup);
        return found == null ? SysBpf.createMap(MAP, NUMBERS * Long.BYTES) : found;
    }

    private static @Nullable Fd find(Fd cgroup) {
        List<Fd> programs = SysBpf.attached(cgroup, Hook.EGRESS, CgroupPrograms.NAME);
        try {
            for (Fd program : programs) {
                Fd map = SysBpf.mapOf(program);
                if (map != null) {
                    return map;
                }
            }
            return null;
        } finally {
            programs.forEach(Fd::close);
        }
    }
}
