/*
 * The parameters of RFC 3461: RET and ENVID of MAIL, NOTIFY and ORCPT of RCPT.
 * Each sets its field of the command, or its error.
 */
#ifndef SMTPD_PARAMETER_DSN_H
#define SMTPD_PARAMETER_DSN_H

#include "smtpd/parameter.h"

void parameter_take_ret(struct command *, const struct parameter *);
void parameter_take_envid(struct command *, const struct parameter *);
void parameter_take_notify(struct command *, const struct parameter *);
void parameter_take_orcpt(struct command *, const struct parameter *);

#endif
