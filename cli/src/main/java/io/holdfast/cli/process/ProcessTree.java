package io.holdfast.cli.process;

import static io.holdfast.cli.process.ProcessIdentity.readIfPermitted;

import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.output.Ellipsis;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.MemoryText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Prints cgroups and their processes as a tree: the memory of each cgroup, the sockets on which its
 * processes listen, the bus names that they own, and the AF_UNIX servers to which they are
 * connected. A process is held while it is read. A cgroup that is removed meanwhile is left out.
 */
final class ProcessTree {
    /**
     * The maximum depth, because users may nest cgroups as deep as they like. A cgroup at this
     * depth is shown with all processes below it.
     */
    private static final int DEPTH = 48;

    private static final int COMMAND_LINE = 4096; // the bytes of it that are read
    private static final String SLICE = ".slice";

    private final Managers managers;
    private final ListenerTable sockets = new ListenerTable();
    private final UnixConversations conversations = new UnixConversations();

    ProcessTree(Managers managers) {
        this.managers = managers;
    }

    /**
     * Prints the tree of each matching cgroup.
     *
     * @param unit a unit, a slice, or the path of a cgroup; empty for the whole tree
     * @throws CommandException if the unit has no cgroup
     */
    void show(Optional<String> unit, boolean json, Output output) {
        OwnedNames names = OwnedNames.find(managers).get();
        List<Node> roots = new ArrayList<>();
        for (CgroupPath path : unit.map(ProcessTree::find).orElse(List.of(CgroupPath.ROOT))) {
            read(path, path.path(), names, 0).ifPresent(roots::add);
        }
        if (roots.isEmpty()) {
            throw new CommandException(unit.orElse("/") + " has no cgroup");
        }
        for (Node root : roots) {
            if (json) {
                output.line(root.json().toString());
            } else {
                root.print("", "", output.width(), output);
            }
        }
    }

    /**
     * Finds all cgroups with this name, nearest to the root first: a manager may run below another
     * one, with units of the same name.
     */
    private static List<CgroupPath> find(String word) {
        if (word.startsWith("/")) {
            return List.of(CgroupPath.parse(word));
        }
        UnitName unit;
        try {
            unit = UnitName.ofUserInput(word);
        } catch (IllegalArgumentException e) {
            throw new CommandException("not a unit: '" + word + "'", e);
        }
        if (unit.text().equals("-" + SLICE)) {
            return List.of(CgroupPath.ROOT);
        }
        String name = CgroupPath.escape(unit.text());
        List<CgroupPath> found = new ArrayList<>();
        Deque<CgroupPath> level = new ArrayDeque<>(List.of(CgroupPath.ROOT));
        while (!level.isEmpty()) {
            CgroupPath path = level.removeFirst();
            for (String child : childrenOf(path)) {
                if (child.equals(name)) {
                    found.add(path.child(child));
                } else if (path.components().size() < DEPTH) {
                    level.addLast(path.child(child));
                }
            }
        }
        return found;
    }

    private static List<String> childrenOf(CgroupPath path) {
        try (Cgroup cgroup = Cgroup.open(path.path())) {
            return cgroup.childNames().stream().sorted().toList();
        } catch (ErrnoException e) {
            return List.of();
        }
    }

    /**
     * Reads a cgroup; empty if it was removed, or if it is not the requested one and has no
     * processes. Kernel threads are left out of the root cgroup: processes there without a command
     * line.
     */
    private Optional<Node> read(CgroupPath path, String title, OwnedNames names, int depth) {
        List<Held> processes = new ArrayList<>();
        List<Node> children = new ArrayList<>();
        try (Cgroup cgroup = Cgroup.open(path.path())) {
            if (depth > 0 && !cgroup.isPopulated()) {
                return Optional.empty();
            }
            Consumer<PidFd> take =
                    process ->
                            read(process, names)
                                    .filter(each -> !path.isRoot() || !each.command().isEmpty())
                                    .ifPresent(processes::add);
            if (depth < DEPTH) {
                cgroup.forEachMember(take);
            } else {
                SubtreeProcesses.forEach(path, take);
            }
        } catch (ErrnoException e) {
            if (SubtreeProcesses.isGone(e)) {
                return Optional.empty();
            }
            throw e;
        }
        if (depth < DEPTH) {
            for (String child : childrenOf(path)) {
                read(path.child(child), CgroupPath.unescape(child), names, depth + 1)
                        .ifPresent(children::add);
            }
        }
        processes.sort(Comparator.comparingInt(each -> each.id().pid()));
        return Optional.of(new Node(path, title, memory(path), processes, children));
    }

    private Optional<Held> read(PidFd process, OwnedNames names) {
        return readIfPermitted(process::processId)
                .map(id ->
                        new Held(
                                id,
                                readIfPermitted(() -> process.proc().commandLine(COMMAND_LINE))
                                        .orElse(List.of()),
                                readIfPermitted(() -> process.proc().name()).orElse(""),
                                readIfPermitted(() -> process.proc().residentBytes()).orElse(0L),
                                sockets.of(process).orElse(List.of()),
                                id.pidfdId().isPresent() ? names.of(id) : List.of(),
                                conversations.serversOf(process)));
    }

    /** Reads memory.current; empty if the memory controller is not enabled. */
    private static OptionalLong memory(CgroupPath path) {
        Path file = Path.of(Cgroup.mountPoint() + path, "memory.current");
        try {
            return OptionalLong.of(Long.parseLong(Files.readString(file).strip()));
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    /** The attributes of a process, read while it was held. */
    private record Held(
            ProcessId id,
            List<String> command,
            String name,
            long resident,
            List<String> listening,
            List<String> names,
            List<String> servers) {

        String text() {
            return id.inThisBoot()
                    + "  "
                    + MemoryText.of(resident)
                    + "  "
                    + (command.isEmpty() ? "[" + name + "]" : String.join(" ", command));
        }

        JsonText json() {
            return JsonText.object()
                    .put("process", id.toString())
                    .put("pid", id.pid())
                    .put("name", name)
                    .put("commandLine", command)
                    .put("residentBytes", resident)
                    .put("listening", listening)
                    .put("busNames", names)
                    .put("servers", servers);
        }
    }

    private record Node(
            CgroupPath path,
            String title,
            OptionalLong current,
            List<Held> processes,
            List<Node> children) {

        /**
         * Returns the memory that the kernel counts for the cgroup, else the sum of the resident
         * memory of its processes.
         */
        long memory() {
            return current.orElseGet(this::resident);
        }

        private long resident() {
            return processes.stream().mapToLong(Held::resident).sum()
                    + children.stream().mapToLong(Node::memory).sum();
        }

        /**
         * Prints this node and the nodes below it.
         *
         * @param first the prefix of this node's line
         * @param indent the prefix of the lines below
         */
        void print(String first, String indent, OptionalInt width, Output output) {
            output.line(
                    output.faint(first),
                    output.strong(title),
                    "  "
                            + MemoryText.of(memory())
                            + (current.isPresent() ? "" : " (sum of resident memory)"));
            for (int i = 0; i < processes.size(); i++) {
                boolean last = i == processes.size() - 1 && children.isEmpty();
                Held process = processes.get(i);
                String below = indent + (last ? "    " : "│   ");
                line(indent + (last ? "└─" : "├─"), process.text(), width, output);
                if (!process.listening.isEmpty()) {
                    String all = String.join(", ", process.listening);
                    line(below, "listens on " + all, width, output);
                }
                if (!process.names.isEmpty()) {
                    line(below, "owns " + String.join(" ", process.names), width, output);
                }
                for (String server : process.servers) {
                    line(below, "connected to " + server, width, output);
                }
            }
            for (int i = 0; i < children.size(); i++) {
                boolean last = i == children.size() - 1;
                children.get(i)
                        .print(
                                indent + (last ? "└─" : "├─"),
                                indent + (last ? "  " : "│ "),
                                width,
                                output);
            }
        }

        private static void line(String guide, String text, OptionalInt width, Output output) {
            output.line(
                    output.faint(guide),
                    width.isEmpty()
                            ? text
                            : Ellipsis.middle(
                                    text, Math.max(1, width.getAsInt() - guide.length())));
        }

        JsonText json() {
            return JsonText.object()
                    .put("cgroup", path.path())
                    .put("name", title)
                    .put("memoryBytes", memory())
                    .put("memorySource", current.isPresent() ? "memory.current" : "resident")
                    .put("processes", processes.stream().map(Held::json).toList())
                    .put("children", children.stream().map(Node::json).toList());
        }
    }
}
