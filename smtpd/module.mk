programs += smtpd
smtpd_src := $(wildcard smtpd/*.c)
smtpd_libs := -levent_core -lseccomp
