package io.holdfast.manager.resource;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.manager.unit.SmallFile;
import io.holdfast.manager.unit.resource.DeviceSettings;
import io.holdfast.manager.unit.resource.DeviceSettings.Policy;
import io.holdfast.manager.unit.resource.DeviceSettings.Rule;
import io.holdfast.manager.unit.value.Glob;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The BPF program that refuses the use of all but some devices. Blocking. */
final class DeviceProgram {
    // struct bpf_cgroup_dev_ctx of linux/bpf.h: the access above the type, and the numbers
    private static final int CONTEXT = 1; // the register that has its address at first
    private static final int MAJOR_IN_CONTEXT = 4;
    private static final int MINOR_IN_CONTEXT = 8;
    private static final int BLOCK = 1;
    private static final int CHARACTER = 2;
    private static final int MAKE = 1;
    private static final int READ = 2;
    private static final int WRITE = 4;

    // registers
    private static final int WANTED = 1;
    private static final int TYPE = 2;
    private static final int ACCESS = 3;
    private static final int MAJOR = 4;
    private static final int MINOR = 5;

    private static final int ANY = -1;
    private static final int S_IFBLK = 0x6000;
    private static final int S_IFCHR = 0x2000;
    private static final Path GROUPS = Path.of("/proc/devices");
    private static final Pattern NUMBERED = Pattern.compile("/dev/(char|block)/(\\d+):(\\d+)");

    /** null, zero, full, random, urandom, tty and ptmx: the same on every machine. */
    private static final int[][] PSEUDO = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}};

    private static final int TERMINALS = 136; // UNIX98_PTY_SLAVE_MAJOR of linux/major.h

    private final BpfCode code = new BpfCode();
    private final Consumer<String> problems;

    private DeviceProgram(Consumer<String> problems) {
        this.problems = problems;
    }

    /**
     * Returns the program for settings that restrict devices.
     *
     * @param problems receives a line for each device that is not found
     */
    static byte[] of(DeviceSettings settings, Consumer<String> problems) {
        DeviceProgram program = new DeviceProgram(problems);
        program.begin();
        if (settings.policy() != Policy.STRICT) {
            for (int[] numbers : PSEUDO) {
                program.permit(CHARACTER, numbers[0], numbers[1], MAKE | READ | WRITE);
            }
            program.permit(CHARACTER, TERMINALS, ANY, READ | WRITE);
        }
        settings.rules().forEach(program::add);
        program.code.end(false);
        return program.code.bytes();
    }

    private void begin() {
        code.load(TYPE, CONTEXT, 0);
        code.and(TYPE, 0xffff);
        code.load(ACCESS, CONTEXT, 0);
        code.shiftRight(ACCESS, Short.SIZE);
        code.load(MAJOR, CONTEXT, MAJOR_IN_CONTEXT);
        code.load(MINOR, CONTEXT, MINOR_IN_CONTEXT);
    }

    private void permit(int type, int major, int minor, int access) {
        int otherType = code.unless(TYPE, type);
        code.copy(WANTED, ACCESS);
        code.and(WANTED, access);
        int more = code.unlessEqual(WANTED, ACCESS);
        int otherMajor = major == ANY ? more : code.unless(MAJOR, major);
        int otherMinor = minor == ANY ? more : code.unless(MINOR, minor);
        code.end(true);
        code.land(otherType);
        code.land(more);
        code.land(otherMajor);
        code.land(otherMinor);
    }

    private void add(Rule rule) {
        int access = access(rule.access());
        if (!rule.device().startsWith("/")) {
            int dash = rule.device().indexOf('-');
            int type = rule.device().startsWith("block-") ? BLOCK : CHARACTER;
            permitGroup(type, rule.device().substring(dash + 1), access);
            return;
        }
        Matcher numbered = NUMBERED.matcher(rule.device());
        if (numbered.matches()) {
            int type = numbered.group(1).equals("block") ? BLOCK : CHARACTER;
            permit(type, number(numbered.group(2)), number(numbered.group(3)), access);
            return;
        }
        permitNode(rule.device(), access);
    }

    private void permitNode(String path, int access) {
        try (Fd node = Fcntl.open(path, Fcntl.O_PATH)) {
            FileStatus status = SysStat.stat(node);
            boolean isBlock = status.type() == S_IFBLK;
            if (!isBlock && status.type() != S_IFCHR) {
                problems.accept("DeviceAllow=" + path + ": it is not a device");
                return;
            }
            int major = (int) (status.special() >>> Integer.SIZE);
            permit(isBlock ? BLOCK : CHARACTER, major, (int) status.special(), access);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) { // otherwise there is nothing to use
                problems.accept("DeviceAllow=" + path + ": " + e.getMessage());
            }
        }
    }

    /**
     * Permits the devices of a group.
     *
     * @param name of the group with wildcards, or its number
     */
    private void permitGroup(int type, String name, int access) {
        if (name.equals("*")) {
            permit(type, ANY, ANY, access);
            return;
        }
        if (name.matches("\\d{1,9}")) {
            permit(type, number(name), ANY, access);
            return;
        }
        boolean isWanted = false;
        for (String line : SmallFile.read(GROUPS).lines().toList()) {
            String[] words = line.strip().split(" ", 2);
            if (line.endsWith(":")) {
                isWanted = line.startsWith("Block") == (type == BLOCK);
            } else if (isWanted && words.length == 2 && Glob.matches(name, words[1])) {
                permit(type, number(words[0]), ANY, access);
            }
        }
    }

    /** Returns a number; one that no device has if it is too large. */
    private static int number(String digits) {
        return digits.length() < 10 ? Integer.parseInt(digits) : Integer.MAX_VALUE;
    }

    private static int access(String letters) {
        return letters.chars()
                .map(letter -> letter == 'r' ? READ : letter == 'w' ? WRITE : MAKE)
                .sum();
    }
}
