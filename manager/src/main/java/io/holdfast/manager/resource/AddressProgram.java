package io.holdfast.manager.resource;

import io.holdfast.core.sys.SysBpf.Hook;
import io.holdfast.manager.unit.resource.AddressRange;
import io.holdfast.manager.unit.resource.AddressSettings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The BPF programs that drop packets of denied addresses, and may count those that pass: one for
 * the packets that are received, and one for those that are sent. A packet that is not IP passes.
 */
final class AddressProgram {
    // linux/bpf.h
    private static final int CONTEXT =
            1; // the register that has the address of the packet at first
    private static final int LENGTH_IN_CONTEXT = 0; // of struct __sk_buff
    private static final int PROTOCOL_IN_CONTEXT = 16;
    private static final int LOAD_BYTES = 26; // bpf_skb_load_bytes

    // linux/if_ether.h, in the byte order of the network
    private static final int IPV4 = 0x0008;
    private static final int IPV6 = 0xdd86;

    // registers
    private static final int PACKET = 6;
    private static final int WORD = 1;
    private static final int LENGTH = 2;
    private static final int COUNT = 3; // the address of a counter

    private static final int ROOM = -16; // on the stack, for the address

    private static final int NO_MAP = -1;

    private final BpfCode code = new BpfCode();
    private final int map;
    private final int bytesInMap; // behind them: the number of packets

    private AddressProgram(int map, int bytesInMap) {
        this.map = map;
        this.bytesInMap = bytesInMap;
    }

    static byte[] ofReceived(AddressSettings settings) {
        return new AddressProgram(NO_MAP, 0).received(settings);
    }

    static byte[] ofSent(AddressSettings settings) {
        return new AddressProgram(NO_MAP, 0).sent(settings);
    }

    /** Counts the packets that pass in a map of {@link PacketCounts}, given by its descriptor. */
    static byte[] counting(Hook hook, AddressSettings settings, int map) {
        return hook == Hook.INGRESS
                ? new AddressProgram(map, PacketCounts.RECEIVED).received(settings)
                : new AddressProgram(map, PacketCounts.SENT).sent(settings);
    }

    private byte[] received(AddressSettings settings) {
        return of(settings, 12, 8); // the source in the header
    }

    private byte[] sent(AddressSettings settings) {
        return of(settings, 16, 24); // the destination
    }

    private byte[] of(AddressSettings settings, int inIpv4, int inIpv6) {
        code.copy(PACKET, CONTEXT);
        code.load(WORD, PACKET, PROTOCOL_IN_CONTEXT);
        int notIpv4 = code.unless(WORD, IPV4);
        judge(settings, inIpv4, 4);
        code.land(notIpv4);
        code.load(WORD, PACKET, PROTOCOL_IN_CONTEXT);
        int notIpv6 = code.unless(WORD, IPV6);
        judge(settings, inIpv6, 16);
        code.land(notIpv6);
        pass();
        return code.bytes();
    }

    /** Lets the packet pass, and counts it. */
    private void pass() {
        if (map != NO_MAP) {
            code.load(LENGTH, PACKET, LENGTH_IN_CONTEXT);
            code.mapValue(COUNT, map, bytesInMap);
            code.addToMemory(COUNT, 0, LENGTH);
            code.set(LENGTH, 1);
            code.addToMemory(COUNT, Long.BYTES, LENGTH);
        }
        code.end(true);
    }

    /** Ends the program for packets with addresses of a size. */
    private void judge(AddressSettings settings, int offset, int size) {
        code.copy(1, PACKET);
        code.set(2, offset);
        code.copy(3, BpfCode.STACK);
        code.add(3, ROOM);
        code.set(4, size);
        code.call(LOAD_BYTES);
        int unreadable = code.unless(0, 0);
        boolean isDecided =
                decide(settings.allowed(), size, true) || decide(settings.denied(), size, false);
        if (!isDecided) {
            pass();
        }
        code.land(unreadable);
        code.end(false);
    }

    /** Compares the address with ranges; returns whether one of them has every address. */
    private boolean decide(List<AddressRange> ranges, int size, boolean permitted) {
        for (AddressRange range : ranges) {
            byte[] network = range.bytes();
            if (network.length == size) {
                compare(network, range.prefix(), permitted);
                if (range.prefix() == 0) {
                    return true; // the kernel refuses instructions that are never reached
                }
            }
        }
        return false;
    }

    private void compare(byte[] network, int prefix, boolean permitted) {
        ByteBuffer words = ByteBuffer.wrap(network).order(ByteOrder.nativeOrder());
        int words4 = Math.ceilDiv(prefix, Integer.SIZE);
        int[] jumps = new int[words4];
        for (int i = 0; i < words4; i++) {
            int bits = Math.min(prefix - i * Integer.SIZE, Integer.SIZE);
            code.load(WORD, BpfCode.STACK, ROOM + i * Integer.BYTES);
            if (bits < Integer.SIZE) {
                code.and(WORD, Integer.reverseBytes(-1 << (Integer.SIZE - bits)));
            }
            jumps[i] = code.unless(WORD, words.getInt(i * Integer.BYTES));
        }
        if (permitted) {
            pass();
        } else {
            code.end(false);
        }
        for (int jump : jumps) {
            code.land(jump);
        }
    }
}
