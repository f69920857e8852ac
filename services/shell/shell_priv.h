// SPDX-License-Identifier: BSD-2-Clause
// What the files of the shell share: shell.c the loop, shell_keys.c the keyboard, shell_commands.c the commands,
// shell_jobs.c the programs it started, ask.c its transactions. Each calls only those that follow it here.
// Callers: the shell's own tasks (may sleep); node lock held.
#ifndef SERVICES_SHELL_PRIV_H
#define SERVICES_SHELL_PRIV_H

#include "services/protocol.h"
#include "services/service.h"
#include "services/services.h"
#include "services/shell/args.h"
#include "services/terminal/edit.h"

#define SHELL_TIMEOUT_MS 10000 // for what should be answered at once
#define SHELL_QUEUE 4u         // lines typed ahead

// A program that the shell started; it lives until its end has been told.
struct job {
    struct list link;           // [N] shell.jobs
    uint32_t number;            // [I] object of the owner capability
    uint32_t pid;               // [N] 0: not started yet
    char name[NAME_MAX_LEN];    // [I] as ps shows it: the program's, or with a number behind it
    char program[NAME_MAX_LEN]; // [I] in the boot file system
    struct cap process, tty;    // [N]
    bool in_front;              // [N] it was, last: that it ended well is seen without words
    bool stunned;               // [N] by our order
    bool over;                  // [N] nothing more will come
    bool faulted, lost;         // [N] lost: no node knows it any more
    uint32_t last;              // [N] enum owner_event
    uint32_t tid;               // [N] faulted: which thread
    int64_t status;             // [N]
    struct owner_fault fault;   // [N]
};

// The main task sleeps on its address, as do tasks that wait for the main task.
struct shell {
    struct port put;                             // [I] told of the ends of jobs
    uint8_t key[16];                             // [I]
    struct cap console, proc, node, bootfs, dir; // [I] from the boot directory
    struct thread *keys, *main;                  // [I]
    struct edit *edit;                           // [N] one page
    struct pool pool_job;
    struct list jobs;                           // [N]
    uint32_t last_job;                          // [N] number
    struct job *front;                          // [N] gets what is typed; NULL: the shell does
    bool at_prompt;                             // [N] the main task waits for a line
    bool interrupted, suspended;                // [N] Ctrl-C, Ctrl-Z: typed, and not handled yet
    char prompt[NAME_MAX_LEN + 2];              // [I]
    char queue[SHELL_QUEUE][EDIT_LINE_MAX + 1]; // [N] lines typed and not yet taken
    unsigned queue_first, queued;               // [N]
    struct args args;                           // [N] of the line that is carried out
};
_Static_assert(sizeof(struct shell) <= PAGE_SIZE && sizeof(struct edit) <= PAGE_SIZE, "a page each");

// --- ask.c -------------------------------------------------------------------------------------------------------
// Prints a line on the console, cut after 318 bytes.
void say(struct node *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// A transaction whose reply (at most `max` bytes) comes into a new segment, which the caller drops, with *len bytes in
// it. Returns the status >= 0, or E_MEM, or an error of the transaction: then there is no segment.
int64_t fetch(struct node *n, const struct cap *c, uint32_t op, uint64_t max, struct seg **out, uint64_t *len);
// A transaction without bytes, but for a capability in the reply (NULL: none) and a name in the request (NULL: none).
// arg0: the operation's arg[0]. Returns the status >= 0, or an error of the transaction, or E_FORMAT: the reply is no
// capability.
int64_t ask(struct node *n, const struct cap *c, uint32_t op, uint64_t arg0, const char *name, struct cap *out);
// Draws the row: the prompt when there is one, and what is being typed. how: enum console_show.
void show_row(struct node *n, uint32_t how);

// --- shell_jobs.c -------------------------------------------------------------------------------------------------
extern const struct service shell_owner; // is told how jobs end

// Starts a program: words from number `first` on are --grant and --meet with their values (services/grant.h), its name,
// its arguments.
void run_program(struct node *n, const struct args *w, unsigned first);
// Brings a job to the front: what is typed goes to it. Returns when it is not in front any more; the record may be
// gone.
void job_to_front(struct node *n, struct job *j);
// Says how the jobs ended that are over, and frees their records.
void notify_ends(struct node *n);
// Returns the job that runs process number pid, or NULL: the shell did not start that process.
struct job *job_by_pid(struct node *n, uint32_t pid);
// True if a job is over and was not said to be.
bool job_ended(struct node *n);
// Writes to text "main+0x6": the function of a program of the boot file system in which pc (an address in the program)
// lies; the address when that is not known.
void program_place(struct node *n, const char *program, uint64_t pc, char *text, size_t size);
// Frees the record; the process is left alone. Callers: also shell_service_stop, when no task runs.
void job_free(struct node *n, struct job *j);

// --- shell_commands.c ---------------------------------------------------------------------------------------------
enum operand { OPERAND_NONE, OPERAND_FILE, OPERAND_PROC, OPERAND_COMMAND };
struct command {
    const char *name, *operands, *what, *example;
    const char *more;     // for help COMMAND; NULL: there is no more
    enum operand operand; // what completes its words
    unsigned least, most; // words behind the name
    void (*run)(struct node *n, const struct args *w);
};
extern const struct command commands[]; // ends with name NULL
// Returns the command of this name, or NULL: there is none.
const struct command *command_find(const char *name);
// Carries out a line.
void run_line(struct node *n, const char *line);

// --- shell_keys.c -------------------------------------------------------------------------------------------------
// The task that reads keys, for ever. arg: the shell.
void keys_main(struct node *n, void *arg);

#endif
