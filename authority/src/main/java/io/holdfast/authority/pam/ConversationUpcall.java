package io.holdfast.authority.pam;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A {@code struct pam_conv}: the function that PAM modules call to talk with the user.
 *
 * <p>Ownership: the array of responses and each answer are memory of libc (calloc). If this returns
 * success, they belong to PAM, which wipes and frees them; if it returns an error, it has wiped and
 * freed them before. An answer is written to no other memory: the conversation puts it there.
 */
final class ConversationUpcall {
    // security/_pam_types.h
    private static final int PAM_BUF_ERR = 5;
    private static final int PAM_CONV_ERR = 19;
    private static final int PAM_PROMPT_ECHO_OFF = 1;
    private static final int PAM_PROMPT_ECHO_ON = 2;
    private static final int PAM_ERROR_MSG = 3;
    private static final int PAM_TEXT_INFO = 4;
    private static final int PAM_MAX_NUM_MSG = 32;

    private static final long MESSAGE = 16; // struct pam_message: int style, padding, char *text
    private static final long MESSAGE_TEXT = 8;
    private static final long RESPONSE = 16; // struct pam_response: char *text, int 0, padding
    private static final long ANSWER = Conversation.MAX_ANSWER + 1L;

    private static final FunctionDescriptor SHAPE =
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle CONVERSE;

    static {
        try {
            CONVERSE =
                    MethodHandles.lookup()
                            .findVirtual(
                                    ConversationUpcall.class,
                                    "converse",
                                    MethodType.methodType(
                                            int.class,
                                            int.class,
                                            long.class,
                                            long.class,
                                            long.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Conversation conversation;
    private @Nullable Throwable failure;

    ConversationUpcall(Conversation conversation) {
        this.conversation = conversation;
    }

    /** Makes a {@code struct pam_conv} that calls this, valid as long as the arena lives. */
    @SuppressWarnings("restricted") // the one upcall
    MemorySegment struct(Arena arena) {
        MemorySegment struct = arena.allocate(16, 8);
        MemorySegment function =
                Linker.nativeLinker().upcallStub(CONVERSE.bindTo(this), SHAPE, arena);
        struct.set(ADDRESS, 0, function);
        return struct;
    }

    /** Returns and clears the exception that the conversation has thrown. */
    @Nullable Throwable takeFailure() {
        Throwable taken = failure;
        failure = null;
        return taken;
    }

    /** Called by PAM modules. An exception that left this method would end the JVM. */
    @SuppressWarnings("unused") // called through CONVERSE
    int converse(int count, long messages, long responses, long data) {
        try {
            if (failure != null || count < 1 || count > PAM_MAX_NUM_MSG || data != 0) {
                return PAM_CONV_ERR;
            }
            return converse(count, messages, Libpam.at(responses, Long.BYTES));
        } catch (Throwable e) {
            failure = e;
            return PAM_CONV_ERR;
        }
    }

    private int converse(int count, long messages, MemorySegment into)
            throws IOException, InterruptedException {
        long array = Libpam.calloc(count, RESPONSE);
        if (array == 0) {
            return PAM_BUF_ERR;
        }
        MemorySegment answers = Libpam.at(array, count * RESPONSE);
        MemorySegment pointers = Libpam.at(messages, (long) count * Long.BYTES);
        boolean given = false;
        try {
            for (int i = 0; i < count; i++) {
                long message = pointers.get(JAVA_LONG, (long) i * Long.BYTES);
                long answer = exchange(Libpam.at(message, MESSAGE));
                answers.set(JAVA_LONG, i * RESPONSE, answer);
            }
            into.set(JAVA_LONG, 0, array);
            given = true;
            return Libpam.PAM_SUCCESS;
        } finally {
            if (!given) {
                takeBack(answers, count);
            }
        }
    }

    /** Returns the address of the answer; 0 for a message without an answer. */
    private long exchange(MemorySegment message) throws IOException, InterruptedException {
        int style = message.get(JAVA_INT, 0);
        byte[] text = Libpam.string(message.get(JAVA_LONG, MESSAGE_TEXT));
        return switch (style) {
            case PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON ->
                    prompt(text, style == PAM_PROMPT_ECHO_ON);
            case PAM_ERROR_MSG, PAM_TEXT_INFO -> {
                conversation.showMessage(text, style == PAM_ERROR_MSG);
                yield 0L;
            }
            default -> throw new IOException("unknown message style of a PAM module: " + style);
        };
    }

    private long prompt(byte[] text, boolean echo) throws IOException, InterruptedException {
        long address = Libpam.calloc(1, ANSWER);
        if (address == 0) {
            throw new IOException("no memory for an answer");
        }
        boolean answered = false;
        try {
            MemorySegment memory = Libpam.at(address, ANSWER);
            ByteBuffer answer = memory.asByteBuffer().limit(Conversation.MAX_ANSWER).slice();
            conversation.prompt(text, echo, answer);
            memory.set(JAVA_BYTE, answer.position(), (byte) 0);
            answered = true;
            return address;
        } finally {
            if (!answered) {
                wipeAndFree(address);
            }
        }
    }

    private static void takeBack(MemorySegment answers, int count) {
        for (int i = 0; i < count; i++) {
            long answer = answers.get(JAVA_LONG, i * RESPONSE);
            if (answer != 0) {
                wipeAndFree(answer);
            }
        }
        Libpam.free(answers.address());
    }

    private static void wipeAndFree(long answer) {
        Libpam.wipe(answer, ANSWER);
        Libpam.free(answer);
    }
}
